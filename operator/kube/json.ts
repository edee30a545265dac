/** A number of so many digits that it may be none of JavaScript's, or a text with the like in it. */
const LONG_NUMBER = /[:[,]\s*-?\d{16,}/

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown

/** JSON of Kubernetes. An integer past 2^53, as Kafka's configs have them, comes as its text: as a number it would be another one. */
export function parseJson(text: string): unknown {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text) as unknown
  const exact: Reviver = (_, value, { source }) =>
    Number.isInteger(value) && !Number.isSafeInteger(value) ? source : value
  return JSON.parse(text, exact as (key: string, value: unknown) => unknown) as unknown
}
