import { array, bool, int16, int32, int64, int8, string, struct, uint16 } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const streamsGroupHeartbeatRequest = message(
  { name: 'StreamsGroupHeartbeatRequest', apiKey: 88, validVersions: '0', flexibleVersions: '0+' },
  {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    endpointInformationEpoch: int32(),
    instanceId: string({ nullable: true, default: null }),
    rackId: string({ nullable: true, default: null }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    topology: struct(
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
      { nullable: true, default: null },
    ),
    activeTasks: array(
      struct({
        subtopologyId: string(),
        partitions: array(int32()),
      }),
      { nullable: true, default: null },
    ),
    standbyTasks: array(
      struct({
        subtopologyId: string(),
        partitions: array(int32()),
      }),
      { nullable: true, default: null },
    ),
    warmupTasks: array(
      struct({
        subtopologyId: string(),
        partitions: array(int32()),
      }),
      { nullable: true, default: null },
    ),
    processId: string({ nullable: true, default: null }),
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
      { nullable: true, default: null },
    ),
    taskOffsets: array(
      struct({
        subtopologyId: string(),
        partition: int32(),
        offset: int64(),
      }),
      { nullable: true, default: null },
    ),
    taskEndOffsets: array(
      struct({
        subtopologyId: string(),
        partition: int32(),
        offset: int64(),
      }),
      { nullable: true, default: null },
    ),
    shutdownApplication: bool(),
  },
)
export type StreamsGroupHeartbeatRequest = Infer<typeof streamsGroupHeartbeatRequest>

export const streamsGroupHeartbeatResponse = message(
  { name: 'StreamsGroupHeartbeatResponse', apiKey: 88, validVersions: '0', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ cut: true, nullable: true, default: null }),
    memberId: string(),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    acceptableRecoveryLag: int32(),
    taskOffsetIntervalMs: int32(),
    status: array(
      struct({
        statusCode: int8(),
        statusDetail: string(),
      }),
      { nullable: true },
    ),
    activeTasks: array(
      struct({
        subtopologyId: string(),
        partitions: array(int32()),
      }),
      { nullable: true, default: null },
    ),
    standbyTasks: array(
      struct({
        subtopologyId: string(),
        partitions: array(int32()),
      }),
      { nullable: true, default: null },
    ),
    warmupTasks: array(
      struct({
        subtopologyId: string(),
        partitions: array(int32()),
      }),
      { nullable: true, default: null },
    ),
    endpointInformationEpoch: int32(),
    partitionsByUserEndpoint: array(
      struct({
        userEndpoint: struct({
          host: string(),
          port: uint16(),
        }),
        activePartitions: array(
          struct({
            topic: string(),
            partitions: array(int32()),
          }),
        ),
        standbyPartitions: array(
          struct({
            topic: string(),
            partitions: array(int32()),
          }),
        ),
      }),
      { nullable: true, default: null },
    ),
  },
)
export type StreamsGroupHeartbeatResponse = Infer<typeof streamsGroupHeartbeatResponse>

export const streamsGroupHeartbeatApi = api(streamsGroupHeartbeatRequest, streamsGroupHeartbeatResponse, {
  listeners: BROKER,
})
