import { array, bytes, int32, int64, int8, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'

export const consumerGroupCurrentMemberAssignmentKey = message(
  { name: 'ConsumerGroupCurrentMemberAssignmentKey', apiKey: 8, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
    memberId: string(),
  },
)
export type ConsumerGroupCurrentMemberAssignmentKey = Infer<typeof consumerGroupCurrentMemberAssignmentKey>

export const consumerGroupCurrentMemberAssignmentValue = message(
  { name: 'ConsumerGroupCurrentMemberAssignmentValue', apiKey: 8, validVersions: '0', flexibleVersions: '0+' },
  {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    assignedPartitions: array(
      struct({
        topicId: uuid(),
        partitions: array(int32()),
        assignmentEpochs: array(int32(), { nullable: true, tag: 0 }),
      }),
    ),
    partitionsPendingRevocation: array(
      struct({
        topicId: uuid(),
        partitions: array(int32()),
        assignmentEpochs: array(int32(), { nullable: true, tag: 0 }),
      }),
    ),
  },
)
export type ConsumerGroupCurrentMemberAssignmentValue = Infer<typeof consumerGroupCurrentMemberAssignmentValue>

export const consumerGroupMemberMetadataKey = message(
  { name: 'ConsumerGroupMemberMetadataKey', apiKey: 5, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
    memberId: string(),
  },
)
export type ConsumerGroupMemberMetadataKey = Infer<typeof consumerGroupMemberMetadataKey>

export const consumerGroupMemberMetadataValue = message(
  { name: 'ConsumerGroupMemberMetadataValue', apiKey: 5, validVersions: '0', flexibleVersions: '0+' },
  {
    instanceId: string({ nullable: true }),
    rackId: string({ nullable: true }),
    clientId: string(),
    clientHost: string(),
    subscribedTopicNames: array(string()),
    subscribedTopicRegex: string({ nullable: true }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    serverAssignor: string({ nullable: true }),
    classicMemberMetadata: struct(
      {
        sessionTimeoutMs: int32(),
        supportedProtocols: array(
          struct({
            name: string(),
            metadata: bytes(),
          }),
        ),
      },
      { nullable: true, tag: 0 },
    ),
  },
)
export type ConsumerGroupMemberMetadataValue = Infer<typeof consumerGroupMemberMetadataValue>

export const consumerGroupMetadataKey = message(
  { name: 'ConsumerGroupMetadataKey', apiKey: 3, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
  },
)
export type ConsumerGroupMetadataKey = Infer<typeof consumerGroupMetadataKey>

export const consumerGroupMetadataValue = message(
  { name: 'ConsumerGroupMetadataValue', apiKey: 3, validVersions: '0', flexibleVersions: '0+' },
  {
    epoch: int32(),
    metadataHash: int64({ tag: 0 }),
  },
)
export type ConsumerGroupMetadataValue = Infer<typeof consumerGroupMetadataValue>

export const consumerGroupPartitionMetadataKey = message(
  { name: 'ConsumerGroupPartitionMetadataKey', apiKey: 4, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
  },
)
export type ConsumerGroupPartitionMetadataKey = Infer<typeof consumerGroupPartitionMetadataKey>

export const consumerGroupPartitionMetadataValue = message(
  { name: 'ConsumerGroupPartitionMetadataValue', apiKey: 4, validVersions: '0', flexibleVersions: '0+' },
  {
    topics: array(
      struct({
        topicId: uuid(),
        topicName: string(),
        numPartitions: int32(),
        partitionMetadata: array(
          struct({
            partition: int32(),
            racks: array(string()),
          }),
        ),
      }),
    ),
  },
)
export type ConsumerGroupPartitionMetadataValue = Infer<typeof consumerGroupPartitionMetadataValue>

export const consumerGroupRegularExpressionKey = message(
  { name: 'ConsumerGroupRegularExpressionKey', apiKey: 16, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
    regularExpression: string(),
  },
)
export type ConsumerGroupRegularExpressionKey = Infer<typeof consumerGroupRegularExpressionKey>

export const consumerGroupRegularExpressionValue = message(
  { name: 'ConsumerGroupRegularExpressionValue', apiKey: 16, validVersions: '0', flexibleVersions: '0+' },
  {
    topics: array(string()),
    version: int64(),
    timestamp: int64(),
  },
)
export type ConsumerGroupRegularExpressionValue = Infer<typeof consumerGroupRegularExpressionValue>

export const consumerGroupTargetAssignmentMemberKey = message(
  { name: 'ConsumerGroupTargetAssignmentMemberKey', apiKey: 7, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
    memberId: string(),
  },
)
export type ConsumerGroupTargetAssignmentMemberKey = Infer<typeof consumerGroupTargetAssignmentMemberKey>

export const consumerGroupTargetAssignmentMemberValue = message(
  { name: 'ConsumerGroupTargetAssignmentMemberValue', apiKey: 7, validVersions: '0', flexibleVersions: '0+' },
  {
    topicPartitions: array(
      struct({
        topicId: uuid(),
        partitions: array(int32()),
      }),
    ),
  },
)
export type ConsumerGroupTargetAssignmentMemberValue = Infer<typeof consumerGroupTargetAssignmentMemberValue>

export const consumerGroupTargetAssignmentMetadataKey = message(
  { name: 'ConsumerGroupTargetAssignmentMetadataKey', apiKey: 6, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
  },
)
export type ConsumerGroupTargetAssignmentMetadataKey = Infer<typeof consumerGroupTargetAssignmentMetadataKey>

export const consumerGroupTargetAssignmentMetadataValue = message(
  { name: 'ConsumerGroupTargetAssignmentMetadataValue', apiKey: 6, validVersions: '0', flexibleVersions: '0+' },
  {
    assignmentEpoch: int32(),
    assignmentTimestamp: int64({ tag: 0 }),
  },
)
export type ConsumerGroupTargetAssignmentMetadataValue = Infer<typeof consumerGroupTargetAssignmentMetadataValue>
