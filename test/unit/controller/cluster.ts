import type { Cluster, StaticSettings } from '../../../broker/controller/cluster.ts'
import type { ConfigRules } from '../../../broker/controller/config-rules.ts'
import type { NewMetadataRecord, Outcome } from '../../../broker/controller/result.ts'
import { MetadataDelta } from '../../../broker/metadata/delta.ts'
import { MetadataImage } from '../../../broker/metadata/image.ts'
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  type MetadataRecord,
} from '../../../broker/protocol/metadata-record.ts'
import { broker, feature, record as recordOf, uuid } from '../metadata/records.ts'

export function replayed(records: readonly MetadataRecord[], image = MetadataImage.EMPTY): MetadataImage {
  const delta = new MetadataDelta(image)
  for (const record of records) delta.replay(record)
  return delta.finish({ offset: image.provenance.offset + records.length, epoch: 1, timestampMs: 0 })
}

/** What the records make of the image, through their bytes. */
export function applied(image: MetadataImage, records: readonly NewMetadataRecord[]): MetadataImage {
  const decoded = records.map(({ type, value, version }) =>
    decodeMetadataRecord(encodeMetadataRecord(type, value, version)),
  )
  return replayed(decoded, image)
}

export function after<R>(image: MetadataImage, outcome: Outcome<R>): MetadataImage {
  return applied(image, outcome.records)
}

/** Brokers with these ids, unfenced but for those in `fenced`; epochs are ids plus 100. */
export function clusterOf(
  ids: readonly number[],
  fenced: readonly number[] = [],
  more: readonly MetadataRecord[] = [],
) {
  const brokers = ids.map((id) => broker(id, id + 100, fenced.includes(id)))
  return replayed([feature('metadata.version', 30), ...brokers, ...more])
}

/** Refuses the value 'bad'; `list` is a list that begins as a,b. */
export const RULES: ConfigRules = {
  validate: (_type, _name, configs) =>
    [...configs.values()].includes('bad') ? { error: 'INVALID_CONFIG', message: 'Invalid value bad' } : null,
  isList: (_type, key) => key === 'list',
  defaultValue: (_type, key) => (key === 'list' ? 'a,b' : null),
  effectiveTopicConfigs: (overrides) =>
    [...overrides].map(([name, value]) => ({ name, value, readOnly: false, configSource: 1, isSensitive: false })),
}

export const SETTINGS: StaticSettings = { nodeId: 100, minInSyncReplicas: 1, uncleanLeaderElectionEnable: false }

/** What leaders are chosen by, with nothing set in server.properties. */
export function of(image: MetadataImage, settings: Partial<StaticSettings> = {}): Cluster {
  return { image, settings: { ...SETTINGS, ...settings } }
}

/** Where a partition stands; what is left out is as for a new one, on replicas that are all in sync and led by the first. */
export interface PartitionState {
  readonly replicas: readonly number[]
  readonly isr?: readonly number[]
  readonly leader?: number
  readonly adding?: readonly number[]
  readonly removing?: readonly number[]
  readonly elr?: readonly number[]
  readonly lastKnownElr?: readonly number[]
  readonly leaderEpoch?: number
  readonly partitionEpoch?: number
  readonly recovering?: boolean
  readonly directories?: readonly string[]
}

/** Topic `n` with partitions that stand so. */
export function topicWith(n: number, ...partitions: readonly PartitionState[]): MetadataRecord[] {
  return [
    recordOf('TopicRecord', { name: `topic-${n}`, topicId: uuid(n) }),
    ...partitions.map((state, partitionId) =>
      recordOf(
        'PartitionRecord',
        {
          partitionId,
          topicId: uuid(n),
          replicas: [...state.replicas],
          isr: [...(state.isr ?? state.replicas)],
          leader: state.leader ?? state.replicas[0] ?? -1,
          leaderEpoch: state.leaderEpoch ?? 0,
          partitionEpoch: state.partitionEpoch ?? 0,
          addingReplicas: [...(state.adding ?? [])],
          removingReplicas: [...(state.removing ?? [])],
          eligibleLeaderReplicas: [...(state.elr ?? [])],
          lastKnownElr: [...(state.lastKnownElr ?? [])],
          leaderRecoveryState: state.recovering === true ? 1 : 0,
          directories: [...(state.directories ?? state.replicas.map((id) => uuid(id)))],
        },
        2,
      ),
    ),
  ]
}

export const ELR = feature('eligible.leader.replicas.version', 1)

/** The first partition of topic 9. */
export function partitionIn(image: MetadataImage) {
  return image.partition(uuid(9), 0)
}
