/** The first `max` of `words`, and how many more there are: what there is one of for each broker may be hundreds. */
export function firstOf(words: readonly string[], max: number, separator = '; '): string {
  const first = words.slice(0, max).join(separator)
  return words.length > max ? `${first}${separator}and ${words.length - max} more` : first
}
