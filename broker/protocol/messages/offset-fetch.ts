import { array, bool, int16, int32, int64, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const offsetFetchRequest = message(
  { name: 'OffsetFetchRequest', apiKey: 9, validVersions: '1-10', flexibleVersions: '6+' },
  {
    groups: array(
      struct({
        groupId: string(),
        memberId: string({ versions: '9+', nullable: true, default: null }),
        memberEpoch: int32({ versions: '9+', default: -1 }),
        topics: array(
          struct({
            topicId: uuid({ versions: '10+' }),
            name: string({ versions: '8-9' }),
            partitionIndexes: array(int32()),
          }),
          { nullable: true },
        ),
      }),
      { versions: '8+' },
    ),
    groupId: string({ versions: '1-7' }),
    topics: array(
      struct({
        name: string(),
        partitionIndexes: array(int32()),
      }),
      { versions: '1-7', nullable: '2-7' },
    ),
    requireStable: bool({ versions: '7+' }),
  },
)
export type OffsetFetchRequest = Infer<typeof offsetFetchRequest>

export const offsetFetchResponse = message(
  { name: 'OffsetFetchResponse', apiKey: 9, validVersions: '1-10', flexibleVersions: '6+' },
  {
    throttleTimeMs: int32({ versions: '3+' }),
    groups: array(
      struct({
        groupId: string(),
        topics: array(
          struct({
            topicId: uuid({ versions: '10+' }),
            name: string({ versions: '8-9' }),
            partitions: array(
              struct({
                partitionIndex: int32(),
                committedOffset: int64(),
                committedLeaderEpoch: int32({ default: -1 }),
                metadata: string({ nullable: true }),
                errorCode: int16(),
              }),
            ),
          }),
        ),
        errorCode: int16(),
      }),
      { versions: '8+' },
    ),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            committedOffset: int64(),
            committedLeaderEpoch: int32({ versions: '5-7', default: -1 }),
            metadata: string({ nullable: true }),
            errorCode: int16(),
          }),
        ),
      }),
      { versions: '1-7' },
    ),
    errorCode: int16({ versions: '2-7' }),
  },
)
export type OffsetFetchResponse = Infer<typeof offsetFetchResponse>

export const offsetFetchApi = api(offsetFetchRequest, offsetFetchResponse, { listeners: BROKER })
