import { array, int32, int64, int8, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'

export const shareGroupCurrentMemberAssignmentKey = message(
  { name: 'ShareGroupCurrentMemberAssignmentKey', apiKey: 14, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
    memberId: string(),
  },
)
export type ShareGroupCurrentMemberAssignmentKey = Infer<typeof shareGroupCurrentMemberAssignmentKey>

export const shareGroupCurrentMemberAssignmentValue = message(
  { name: 'ShareGroupCurrentMemberAssignmentValue', apiKey: 14, validVersions: '0', flexibleVersions: '0+' },
  {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    assignedPartitions: array(
      struct({
        topicId: uuid(),
        partitions: array(int32()),
      }),
    ),
  },
)
export type ShareGroupCurrentMemberAssignmentValue = Infer<typeof shareGroupCurrentMemberAssignmentValue>

export const shareGroupMemberMetadataKey = message(
  { name: 'ShareGroupMemberMetadataKey', apiKey: 10, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
    memberId: string(),
  },
)
export type ShareGroupMemberMetadataKey = Infer<typeof shareGroupMemberMetadataKey>

export const shareGroupMemberMetadataValue = message(
  { name: 'ShareGroupMemberMetadataValue', apiKey: 10, validVersions: '0', flexibleVersions: '0+' },
  {
    rackId: string({ nullable: true }),
    clientId: string(),
    clientHost: string(),
    subscribedTopicNames: array(string()),
  },
)
export type ShareGroupMemberMetadataValue = Infer<typeof shareGroupMemberMetadataValue>

export const shareGroupMetadataKey = message(
  { name: 'ShareGroupMetadataKey', apiKey: 11, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
  },
)
export type ShareGroupMetadataKey = Infer<typeof shareGroupMetadataKey>

export const shareGroupMetadataValue = message(
  { name: 'ShareGroupMetadataValue', apiKey: 11, validVersions: '0', flexibleVersions: '0+' },
  {
    epoch: int32(),
    metadataHash: int64(),
  },
)
export type ShareGroupMetadataValue = Infer<typeof shareGroupMetadataValue>

export const shareGroupStatePartitionMetadataKey = message(
  { name: 'ShareGroupStatePartitionMetadataKey', apiKey: 15, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
  },
)
export type ShareGroupStatePartitionMetadataKey = Infer<typeof shareGroupStatePartitionMetadataKey>

export const shareGroupStatePartitionMetadataValue = message(
  { name: 'ShareGroupStatePartitionMetadataValue', apiKey: 15, validVersions: '0', flexibleVersions: '0+' },
  {
    initializingTopics: array(
      struct({
        topicId: uuid(),
        topicName: string(),
        partitions: array(int32()),
      }),
    ),
    initializedTopics: array(
      struct({
        topicId: uuid(),
        topicName: string(),
        partitions: array(int32()),
      }),
    ),
    deletingTopics: array(
      struct({
        topicId: uuid(),
        topicName: string(),
      }),
    ),
  },
)
export type ShareGroupStatePartitionMetadataValue = Infer<typeof shareGroupStatePartitionMetadataValue>

export const shareGroupTargetAssignmentMemberKey = message(
  { name: 'ShareGroupTargetAssignmentMemberKey', apiKey: 13, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
    memberId: string(),
  },
)
export type ShareGroupTargetAssignmentMemberKey = Infer<typeof shareGroupTargetAssignmentMemberKey>

export const shareGroupTargetAssignmentMemberValue = message(
  { name: 'ShareGroupTargetAssignmentMemberValue', apiKey: 13, validVersions: '0', flexibleVersions: '0+' },
  {
    topicPartitions: array(
      struct({
        topicId: uuid(),
        partitions: array(int32()),
      }),
    ),
  },
)
export type ShareGroupTargetAssignmentMemberValue = Infer<typeof shareGroupTargetAssignmentMemberValue>

export const shareGroupTargetAssignmentMetadataKey = message(
  { name: 'ShareGroupTargetAssignmentMetadataKey', apiKey: 12, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
  },
)
export type ShareGroupTargetAssignmentMetadataKey = Infer<typeof shareGroupTargetAssignmentMetadataKey>

export const shareGroupTargetAssignmentMetadataValue = message(
  { name: 'ShareGroupTargetAssignmentMetadataValue', apiKey: 12, validVersions: '0', flexibleVersions: '0+' },
  {
    assignmentEpoch: int32(),
    assignmentTimestamp: int64({ tag: 0 }),
  },
)
export type ShareGroupTargetAssignmentMetadataValue = Infer<typeof shareGroupTargetAssignmentMetadataValue>
