/**
 * Calls `count` with each error code of a response, those of topics and partitions included: what Kafka counts as ErrorsPerSec. Looks at
 * objects and lists of them only, so that what a fetch brings costs nothing.
 */
export function countErrors(answer: unknown, count: (code: number) => void): void {
  if (typeof answer !== 'object' || answer === null || ArrayBuffer.isView(answer)) return
  if (Array.isArray(answer)) {
    // Lists hold one type: of numbers or texts the first one tells.
    if (typeof answer[0] === 'object') for (const item of answer) countErrors(item, count)
    return
  }
  const fields = answer as Readonly<Record<string, unknown>>
  for (const name in fields) {
    const value = fields[name]
    if (typeof value === 'object') {
      if (value !== null && name !== 'records') countErrors(value, count)
    } else if (name === 'errorCode' && typeof value === 'number') count(value)
  }
}
