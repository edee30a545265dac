import { array, int16, int32, int8, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const electLeadersRequest = message(
  { name: 'ElectLeadersRequest', apiKey: 43, validVersions: '0-2', flexibleVersions: '2+' },
  {
    electionType: int8({ versions: '1+' }),
    topicPartitions: array(
      struct({
        topic: string(),
        partitions: array(int32()),
      }),
      { nullable: true },
    ),
    timeoutMs: int32({ default: 60000 }),
  },
)
export type ElectLeadersRequest = Infer<typeof electLeadersRequest>

export const electLeadersResponse = message(
  { name: 'ElectLeadersResponse', apiKey: 43, validVersions: '0-2', flexibleVersions: '2+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16({ versions: '1+' }),
    replicaElectionResults: array(
      struct({
        topic: string(),
        partitionResult: array(
          struct({
            partitionId: int32(),
            errorCode: int16(),
            errorMessage: string({ cut: true, nullable: true }),
          }),
        ),
      }),
    ),
  },
)
export type ElectLeadersResponse = Infer<typeof electLeadersResponse>

export const electLeadersApi = api(electLeadersRequest, electLeadersResponse, { listeners: BOTH, forwardable: true })
