import { array, bool, int16, int32, int64, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const describeLogDirsRequest = message(
  { name: 'DescribeLogDirsRequest', apiKey: 35, validVersions: '1-5', flexibleVersions: '2+' },
  {
    topics: array(
      struct({
        topic: string(),
        partitions: array(int32()),
      }),
      { nullable: true },
    ),
  },
)
export type DescribeLogDirsRequest = Infer<typeof describeLogDirsRequest>

export const describeLogDirsResponse = message(
  { name: 'DescribeLogDirsResponse', apiKey: 35, validVersions: '1-5', flexibleVersions: '2+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16({ versions: '3+' }),
    results: array(
      struct({
        errorCode: int16(),
        logDir: string(),
        topics: array(
          struct({
            name: string(),
            partitions: array(
              struct({
                partitionIndex: int32(),
                partitionSize: int64(),
                offsetLag: int64(),
                isFutureKey: bool(),
              }),
            ),
          }),
        ),
        totalBytes: int64({ versions: '4+', default: -1n }),
        usableBytes: int64({ versions: '4+', default: -1n }),
        isCordoned: bool({ versions: '5+' }),
      }),
    ),
  },
)
export type DescribeLogDirsResponse = Infer<typeof describeLogDirsResponse>

export const describeLogDirsApi = api(describeLogDirsRequest, describeLogDirsResponse, { listeners: BROKER })
