import { array, int16, int32, int64, int8, string, struct, uint16 } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'

export const streamsGroupCurrentMemberAssignmentKey = message(
  { name: 'StreamsGroupCurrentMemberAssignmentKey', apiKey: 22, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
    memberId: string(),
  },
)
export type StreamsGroupCurrentMemberAssignmentKey = Infer<typeof streamsGroupCurrentMemberAssignmentKey>

export const streamsGroupCurrentMemberAssignmentValue = message(
  { name: 'StreamsGroupCurrentMemberAssignmentValue', apiKey: 22, validVersions: '0', flexibleVersions: '0+' },
  {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    activeTasks: array(
      struct({
        subtopologyId: string(),
        partitions: array(int32()),
        assignmentEpochs: array(int32(), { nullable: true, tag: 0 }),
      }),
    ),
    standbyTasks: array(
      struct({
        subtopologyId: string(),
        partitions: array(int32()),
        assignmentEpochs: array(int32(), { nullable: true, tag: 0 }),
      }),
    ),
    warmupTasks: array(
      struct({
        subtopologyId: string(),
        partitions: array(int32()),
        assignmentEpochs: array(int32(), { nullable: true, tag: 0 }),
      }),
    ),
    activeTasksPendingRevocation: array(
      struct({
        subtopologyId: string(),
        partitions: array(int32()),
        assignmentEpochs: array(int32(), { nullable: true, tag: 0 }),
      }),
    ),
    standbyTasksPendingRevocation: array(
      struct({
        subtopologyId: string(),
        partitions: array(int32()),
        assignmentEpochs: array(int32(), { nullable: true, tag: 0 }),
      }),
    ),
    warmupTasksPendingRevocation: array(
      struct({
        subtopologyId: string(),
        partitions: array(int32()),
        assignmentEpochs: array(int32(), { nullable: true, tag: 0 }),
      }),
    ),
  },
)
export type StreamsGroupCurrentMemberAssignmentValue = Infer<typeof streamsGroupCurrentMemberAssignmentValue>

export const streamsGroupMemberMetadataKey = message(
  { name: 'StreamsGroupMemberMetadataKey', apiKey: 19, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
    memberId: string(),
  },
)
export type StreamsGroupMemberMetadataKey = Infer<typeof streamsGroupMemberMetadataKey>

export const streamsGroupMemberMetadataValue = message(
  { name: 'StreamsGroupMemberMetadataValue', apiKey: 19, validVersions: '0', flexibleVersions: '0+' },
  {
    instanceId: string({ nullable: true }),
    rackId: string({ nullable: true }),
    clientId: string(),
    clientHost: string(),
    rebalanceTimeoutMs: int32({ default: -1 }),
    topologyEpoch: int32(),
    processId: string(),
    userEndpoint: struct(
      {
        host: string(),
        port: uint16(),
      },
      { nullable: true, default: null },
    ),
    clientTags: array(
      struct({
        key: string(),
        value: string(),
      }),
    ),
  },
)
export type StreamsGroupMemberMetadataValue = Infer<typeof streamsGroupMemberMetadataValue>

export const streamsGroupMetadataKey = message(
  { name: 'StreamsGroupMetadataKey', apiKey: 17, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
  },
)
export type StreamsGroupMetadataKey = Infer<typeof streamsGroupMetadataKey>

export const streamsGroupMetadataValue = message(
  { name: 'StreamsGroupMetadataValue', apiKey: 17, validVersions: '0', flexibleVersions: '0+' },
  {
    epoch: int32(),
    metadataHash: int64(),
    validatedTopologyEpoch: int32({ tag: 0, default: -1 }),
    lastAssignmentConfigs: array(
      struct({
        key: string(),
        value: string(),
      }),
      { nullable: true, tag: 1 },
    ),
  },
)
export type StreamsGroupMetadataValue = Infer<typeof streamsGroupMetadataValue>

export const streamsGroupTargetAssignmentMemberKey = message(
  { name: 'StreamsGroupTargetAssignmentMemberKey', apiKey: 21, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
    memberId: string(),
  },
)
export type StreamsGroupTargetAssignmentMemberKey = Infer<typeof streamsGroupTargetAssignmentMemberKey>

export const streamsGroupTargetAssignmentMemberValue = message(
  { name: 'StreamsGroupTargetAssignmentMemberValue', apiKey: 21, validVersions: '0', flexibleVersions: '0+' },
  {
    activeTasks: array(
      struct({
        subtopologyId: string(),
        partitions: array(int32()),
      }),
    ),
    standbyTasks: array(
      struct({
        subtopologyId: string(),
        partitions: array(int32()),
      }),
    ),
    warmupTasks: array(
      struct({
        subtopologyId: string(),
        partitions: array(int32()),
      }),
    ),
  },
)
export type StreamsGroupTargetAssignmentMemberValue = Infer<typeof streamsGroupTargetAssignmentMemberValue>

export const streamsGroupTargetAssignmentMetadataKey = message(
  { name: 'StreamsGroupTargetAssignmentMetadataKey', apiKey: 20, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
  },
)
export type StreamsGroupTargetAssignmentMetadataKey = Infer<typeof streamsGroupTargetAssignmentMetadataKey>

export const streamsGroupTargetAssignmentMetadataValue = message(
  { name: 'StreamsGroupTargetAssignmentMetadataValue', apiKey: 20, validVersions: '0', flexibleVersions: '0+' },
  {
    assignmentEpoch: int32(),
    assignmentTimestamp: int64({ tag: 0 }),
  },
)
export type StreamsGroupTargetAssignmentMetadataValue = Infer<typeof streamsGroupTargetAssignmentMetadataValue>

export const streamsGroupTopologyKey = message(
  { name: 'StreamsGroupTopologyKey', apiKey: 23, validVersions: '0', flexibleVersions: 'none' },
  {
    groupId: string(),
  },
)
export type StreamsGroupTopologyKey = Infer<typeof streamsGroupTopologyKey>

export const streamsGroupTopologyValue = message(
  { name: 'StreamsGroupTopologyValue', apiKey: 23, validVersions: '0', flexibleVersions: '0+' },
  {
    epoch: int32(),
    subtopologies: array(
      struct({
        subtopologyId: string(),
        sourceTopics: array(string()),
        sourceTopicRegex: array(string()),
        stateChangelogTopics: array(
          struct({
            name: string(),
            partitions: int32(),
            replicationFactor: int16(),
            topicConfigs: array(
              struct({
                key: string(),
                value: string(),
              }),
            ),
          }),
        ),
        repartitionSinkTopics: array(string()),
        repartitionSourceTopics: array(
          struct({
            name: string(),
            partitions: int32(),
            replicationFactor: int16(),
            topicConfigs: array(
              struct({
                key: string(),
                value: string(),
              }),
            ),
          }),
        ),
        copartitionGroups: array(
          struct({
            sourceTopics: array(int16()),
            sourceTopicRegex: array(int16()),
            repartitionSourceTopics: array(int16()),
          }),
        ),
      }),
    ),
  },
)
export type StreamsGroupTopologyValue = Infer<typeof streamsGroupTopologyValue>
