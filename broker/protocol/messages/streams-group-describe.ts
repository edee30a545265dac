import { array, bool, int16, int32, int64, string, struct, uint16 } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const streamsGroupDescribeRequest = message(
  { name: 'StreamsGroupDescribeRequest', apiKey: 89, validVersions: '0', flexibleVersions: '0+' },
  {
    groupIds: array(string()),
    includeAuthorizedOperations: bool(),
  },
)
export type StreamsGroupDescribeRequest = Infer<typeof streamsGroupDescribeRequest>

export const streamsGroupDescribeResponse = message(
  { name: 'StreamsGroupDescribeResponse', apiKey: 89, validVersions: '0', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    groups: array(
      struct({
        errorCode: int16(),
        errorMessage: string({ cut: true, nullable: true, default: null }),
        groupId: string(),
        groupState: string(),
        groupEpoch: int32(),
        assignmentEpoch: int32(),
        topology: struct(
          {
            epoch: int32(),
            subtopologies: array(
              struct({
                subtopologyId: string(),
                sourceTopics: array(string()),
                repartitionSinkTopics: array(string()),
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
              }),
              { nullable: true, default: null },
            ),
          },
          { nullable: true, default: null },
        ),
        members: array(
          struct({
            memberId: string(),
            memberEpoch: int32(),
            instanceId: string({ nullable: true, default: null }),
            rackId: string({ nullable: true, default: null }),
            clientId: string(),
            clientHost: string(),
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
            taskOffsets: array(
              struct({
                subtopologyId: string(),
                partition: int32(),
                offset: int64(),
              }),
            ),
            taskEndOffsets: array(
              struct({
                subtopologyId: string(),
                partition: int32(),
                offset: int64(),
              }),
            ),
            assignment: struct({
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
            }),
            targetAssignment: struct({
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
            }),
            isClassic: bool(),
          }),
        ),
        authorizedOperations: int32({ default: -2147483648 }),
      }),
    ),
  },
)
export type StreamsGroupDescribeResponse = Infer<typeof streamsGroupDescribeResponse>

export const streamsGroupDescribeApi = api(streamsGroupDescribeRequest, streamsGroupDescribeResponse, {
  listeners: BROKER,
})
