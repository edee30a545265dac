import { array, int16, int32, int64, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const offsetCommitRequest = message(
  { name: 'OffsetCommitRequest', apiKey: 8, validVersions: '2-10', flexibleVersions: '8+' },
  {
    groupId: string(),
    generationIdOrMemberEpoch: int32({ default: -1 }),
    memberId: string(),
    groupInstanceId: string({ versions: '7+', nullable: true, default: null }),
    retentionTimeMs: int64({ versions: '2-4', default: -1n }),
    topics: array(
      struct({
        topicId: uuid({ versions: '10+' }),
        name: string({ versions: '2-9' }),
        partitions: array(
          struct({
            partitionIndex: int32(),
            committedOffset: int64(),
            committedLeaderEpoch: int32({ versions: '6+', default: -1 }),
            committedMetadata: string({ nullable: true }),
          }),
        ),
      }),
    ),
  },
)
export type OffsetCommitRequest = Infer<typeof offsetCommitRequest>

export const offsetCommitResponse = message(
  { name: 'OffsetCommitResponse', apiKey: 8, validVersions: '2-10', flexibleVersions: '8+' },
  {
    throttleTimeMs: int32({ versions: '3+' }),
    topics: array(
      struct({
        topicId: uuid({ versions: '10+' }),
        name: string({ versions: '2-9' }),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
          }),
        ),
      }),
    ),
  },
)
export type OffsetCommitResponse = Infer<typeof offsetCommitResponse>

export const offsetCommitApi = api(offsetCommitRequest, offsetCommitResponse, { listeners: BROKER })
