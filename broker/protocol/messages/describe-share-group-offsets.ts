import { array, int16, int32, int64, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const describeShareGroupOffsetsRequest = message(
  { name: 'DescribeShareGroupOffsetsRequest', apiKey: 90, validVersions: '0-1', flexibleVersions: '0+' },
  {
    groups: array(
      struct({
        groupId: string(),
        topics: array(
          struct({
            topicName: string(),
            partitions: array(int32()),
          }),
          { nullable: true },
        ),
      }),
    ),
  },
)
export type DescribeShareGroupOffsetsRequest = Infer<typeof describeShareGroupOffsetsRequest>

export const describeShareGroupOffsetsResponse = message(
  { name: 'DescribeShareGroupOffsetsResponse', apiKey: 90, validVersions: '0-1', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    groups: array(
      struct({
        groupId: string(),
        topics: array(
          struct({
            topicName: string(),
            topicId: uuid(),
            partitions: array(
              struct({
                partitionIndex: int32(),
                startOffset: int64(),
                leaderEpoch: int32(),
                lag: int64({ versions: '1+', default: -1n }),
                errorCode: int16(),
                errorMessage: string({ cut: true, nullable: true, default: null }),
              }),
            ),
          }),
        ),
        errorCode: int16(),
        errorMessage: string({ cut: true, nullable: true, default: null }),
      }),
    ),
  },
)
export type DescribeShareGroupOffsetsResponse = Infer<typeof describeShareGroupOffsetsResponse>

export const describeShareGroupOffsetsApi = api(describeShareGroupOffsetsRequest, describeShareGroupOffsetsResponse, {
  listeners: BROKER,
})
