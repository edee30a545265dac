import type { Step } from './script.ts'

export interface Difference {
  readonly what: string
  readonly ours: string
  readonly apache: string
}

/** What differs for a reason: steps whose names match, and why. */
export const KNOWN: readonly (readonly [RegExp, string])[] = [
  [/^ApiVersions v\d: API \d+$/, 'an API that is not served (docs/compatibility.md)'],
  [/^ApiVersions v\d: supported /, 'group protocols and transactions that are not served (docs/compatibility.md)'],
  [/^UpdateFeatures v\d: group\.version/, 'the consumer group protocol is not served (docs/compatibility.md)'],
  [/^FindCoordinator v6: share group/, 'share groups are not served (docs/compatibility.md)'],
  [/^IncrementalAlterConfigs v\d: client metrics, match/, 'Apache Kafka cannot append to the lists of client metrics'],
  [/^IncrementalAlterConfigs v\d: .*too many threads/, 'the text names no Java class'],
  [
    /^IncrementalAlterConfigs v\d: unknown operation/,
    'Apache Kafka says UNKNOWN_SERVER_ERROR: an unexpected exception',
  ],
  [/^DescribeTopicPartitions v0: bad names/, 'Apache Kafka says UNKNOWN_SERVER_ERROR: an unexpected exception'],
  [/^Metadata v1[23]: no name, no id/, 'Apache Kafka says UNKNOWN_SERVER_ERROR: an unexpected exception'],
  [/^Fetch v\d+: isolation level 9/, 'Apache Kafka says UNKNOWN_SERVER_ERROR: an unexpected exception'],
  [
    /^Produce v\d+: (unknown codec|not compressed as it says)/,
    'Apache Kafka says UNKNOWN_SERVER_ERROR: an unexpected exception',
  ],
  [
    /^Produce v\d+: (empty|a few bytes|two batches|magic [01]|cut short|header only|length beyond|good and bad)/,
    'Apache Kafka tells the start of the log only with errors that it finds later',
  ],
]

/** Where the answers differ. Steps are told apart by their names: one that only one broker has is a difference too. */
export function differencesOf(ours: readonly Step[], apache: readonly Step[]): Difference[] {
  const found = new Map(ours.map(({ what, answer }) => [what, answer]))
  const expected = new Map(apache.map(({ what, answer }) => [what, answer]))
  return [...new Set([...expected.keys(), ...found.keys()])].flatMap((what) => {
    const pair = { what, ours: found.get(what) ?? 'none', apache: expected.get(what) ?? 'none' }
    return pair.ours === pair.apache ? [] : [pair]
  })
}
