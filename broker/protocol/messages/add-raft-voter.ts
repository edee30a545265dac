import { array, bool, int16, int32, string, struct, uint16, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const addRaftVoterRequest = message(
  { name: 'AddRaftVoterRequest', apiKey: 80, validVersions: '0-1', flexibleVersions: '0+' },
  {
    clusterId: string({ nullable: true }),
    timeoutMs: int32(),
    voterId: int32(),
    voterDirectoryId: uuid(),
    listeners: array(
      struct({
        name: string(),
        host: string(),
        port: uint16(),
      }),
    ),
    ackWhenCommitted: bool({ versions: '1+', default: true }),
  },
)
export type AddRaftVoterRequest = Infer<typeof addRaftVoterRequest>

export const addRaftVoterResponse = message(
  { name: 'AddRaftVoterResponse', apiKey: 80, validVersions: '0-1', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ cut: true, nullable: true }),
  },
)
export type AddRaftVoterResponse = Infer<typeof addRaftVoterResponse>

export const addRaftVoterApi = api(addRaftVoterRequest, addRaftVoterResponse, { listeners: BOTH, forwardable: true })
