import { array, bool, int16, int32, int8, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const describeClusterRequest = message(
  { name: 'DescribeClusterRequest', apiKey: 60, validVersions: '0-2', flexibleVersions: '0+' },
  {
    includeClusterAuthorizedOperations: bool(),
    endpointType: int8({ versions: '1+', default: 1 }),
    includeFencedBrokers: bool({ versions: '2+' }),
  },
)
export type DescribeClusterRequest = Infer<typeof describeClusterRequest>

export const describeClusterResponse = message(
  { name: 'DescribeClusterResponse', apiKey: 60, validVersions: '0-2', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ cut: true, nullable: true, default: null }),
    endpointType: int8({ versions: '1+', default: 1 }),
    clusterId: string(),
    controllerId: int32({ default: -1 }),
    brokers: array(
      struct({
        brokerId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: true, default: null }),
        isFenced: bool({ versions: '2+' }),
      }),
    ),
    clusterAuthorizedOperations: int32({ default: -2147483648 }),
  },
)
export type DescribeClusterResponse = Infer<typeof describeClusterResponse>

export const describeClusterApi = api(describeClusterRequest, describeClusterResponse, { listeners: BOTH })
