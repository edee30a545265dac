import type { Metrics } from './metrics.ts'
import type { Sample } from './registry.ts'

/** A committed offset of a group that this broker coordinates. */
export interface GroupOffsetSample {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** The partition's high watermark, whoever leads it; undefined where its leader has not told. */
  readonly endOffset: number | undefined
}

export interface GroupGaugeSources {
  groupOffsets(): Iterable<GroupOffsetSample>
  groupOffsetCount(): number
  groupMembers(): Iterable<readonly [group: string, members: number]>
  /** Groups of each state. */
  groups(): Iterable<readonly [state: string, count: number]>
}

/**
 * Groups, under the names of Kafka's group coordinator, and their offsets, under those of kafka_exporter. Each group is told by its
 * coordinator alone.
 */
export function registerGroupGauges(metrics: Metrics, sources: GroupGaugeSources): void {
  registerOffsets(metrics, sources)
  metrics.registerGauge('kafka_consumergroup_members', 'Members of a group', () => members(sources.groupMembers()))
  metrics.registerGauge('kafka_coordinator_group_groupmetadatamanager_numgroups', 'Groups on this broker', () => {
    let total = 0
    for (const [, count] of sources.groups()) total += count
    return total
  })
  metrics.registerGauge(
    'kafka_coordinator_group_groupmetadatamanager_numoffsets',
    'Committed offsets of the groups on this broker',
    () => sources.groupOffsetCount(),
  )
  for (const state of ['PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead', 'Empty']) {
    const name = `kafka_coordinator_group_groupmetadatamanager_numgroups${state.toLowerCase()}`
    metrics.registerGauge(name, `Groups in state ${state}`, () => new Map(sources.groups()).get(state) ?? 0)
  }
}

function registerOffsets(metrics: Metrics, sources: GroupGaugeSources): void {
  const gauge = (name: string, help: string, read: (sample: GroupOffsetSample) => number | undefined) => {
    metrics.registerGauge(`kafka_consumergroup_${name}`, help, () => byPartition(sources.groupOffsets(), read))
    metrics.registerGauge(`kafka_consumergroup_${name}_sum`, `${help}, of all partitions of a topic`, () =>
      byTopic(sources.groupOffsets(), read),
    )
  }
  gauge('current_offset', 'The offset that a group has committed', ({ offset }) => offset)
  gauge('lag', 'Records that a group has not yet committed', lagOf)
}

function* members(groups: Iterable<readonly [group: string, members: number]>): Generator<Sample> {
  for (const [consumergroup, value] of groups) yield { value, labels: { consumergroup } }
}

/** What was committed since the leader told its end does not make the lag negative. */
function lagOf({ offset, endOffset }: GroupOffsetSample): number | undefined {
  return endOffset === undefined ? undefined : Math.max(0, endOffset - offset)
}

function* byPartition(
  samples: Iterable<GroupOffsetSample>,
  read: (sample: GroupOffsetSample) => number | undefined,
): Generator<Sample> {
  for (const sample of samples) {
    const value = read(sample)
    const { group, topic, partition } = sample
    if (value !== undefined) yield { value, labels: { consumergroup: group, topic, partition } }
  }
}

/** The offsets of a group come one after the other. Its sums are told with its last one: a scrape gives way between the groups. */
function* byTopic(
  samples: Iterable<GroupOffsetSample>,
  read: (sample: GroupOffsetSample) => number | undefined,
): Generator<Sample> {
  const topics = new Map<string, number>()
  let consumergroup = ''
  for (const sample of samples) {
    if (sample.group !== consumergroup) yield* sumsOf(consumergroup, topics)
    consumergroup = sample.group
    const value = read(sample)
    if (value !== undefined) topics.set(sample.topic, (topics.get(sample.topic) ?? 0) + value)
  }
  yield* sumsOf(consumergroup, topics)
}

/** Tells the sums, of which there are none then. */
function* sumsOf(consumergroup: string, topics: Map<string, number>): Generator<Sample> {
  for (const [topic, value] of topics) yield { value, labels: { consumergroup, topic } }
  topics.clear()
}
