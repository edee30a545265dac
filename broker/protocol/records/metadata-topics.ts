import { array, int32, int8, string, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'

export const topicRecord = message(
  { name: 'TopicRecord', apiKey: 2, validVersions: '0', flexibleVersions: '0+' },
  {
    name: string(),
    topicId: uuid(),
  },
)
export type TopicRecord = Infer<typeof topicRecord>

export const partitionRecord = message(
  { name: 'PartitionRecord', apiKey: 3, validVersions: '0-2', flexibleVersions: '0+' },
  {
    partitionId: int32({ default: -1 }),
    topicId: uuid(),
    replicas: array(int32()),
    isr: array(int32()),
    removingReplicas: array(int32()),
    addingReplicas: array(int32()),
    leader: int32({ default: -1 }),
    leaderEpoch: int32({ default: -1 }),
    partitionEpoch: int32({ default: -1 }),
    directories: array(uuid(), { versions: '1+' }),
    leaderRecoveryState: int8({ tag: 0 }),
    eligibleLeaderReplicas: array(int32(), { versions: '2+', nullable: true, tag: 1, default: null }),
    lastKnownElr: array(int32(), { versions: '2+', nullable: true, tag: 2, default: null }),
  },
)
export type PartitionRecord = Infer<typeof partitionRecord>

export const partitionChangeRecord = message(
  { name: 'PartitionChangeRecord', apiKey: 5, validVersions: '0-2', flexibleVersions: '0+' },
  {
    partitionId: int32({ default: -1 }),
    topicId: uuid(),
    isr: array(int32(), { nullable: true, tag: 0, default: null }),
    leader: int32({ tag: 1, default: -2 }),
    replicas: array(int32(), { nullable: true, tag: 2, default: null }),
    removingReplicas: array(int32(), { nullable: true, tag: 3, default: null }),
    addingReplicas: array(int32(), { nullable: true, tag: 4, default: null }),
    leaderRecoveryState: int8({ tag: 5, default: -1 }),
    directories: array(uuid(), { versions: '1+', nullable: true, tag: 8, default: null }),
    eligibleLeaderReplicas: array(int32(), { versions: '2+', nullable: true, tag: 6, default: null }),
    lastKnownElr: array(int32(), { versions: '2+', nullable: true, tag: 7, default: null }),
  },
)
export type PartitionChangeRecord = Infer<typeof partitionChangeRecord>

export const removeTopicRecord = message(
  { name: 'RemoveTopicRecord', apiKey: 9, validVersions: '0', flexibleVersions: '0+' },
  {
    topicId: uuid(),
  },
)
export type RemoveTopicRecord = Infer<typeof removeTopicRecord>

export const clearElrRecord = message(
  { name: 'ClearElrRecord', apiKey: 28, validVersions: '0', flexibleVersions: '0+' },
  {
    topicName: string(),
  },
)
export type ClearElrRecord = Infer<typeof clearElrRecord>

export const configRecord = message(
  { name: 'ConfigRecord', apiKey: 4, validVersions: '0', flexibleVersions: '0+' },
  {
    resourceType: int8(),
    resourceName: string(),
    name: string(),
    value: string({ nullable: true }),
  },
)
export type ConfigRecord = Infer<typeof configRecord>
