import { int16, int32, string, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BOTH } from '../api.ts'

export const removeRaftVoterRequest = message(
  { name: 'RemoveRaftVoterRequest', apiKey: 81, validVersions: '0', flexibleVersions: '0+' },
  {
    clusterId: string({ nullable: true }),
    voterId: int32(),
    voterDirectoryId: uuid(),
  },
)
export type RemoveRaftVoterRequest = Infer<typeof removeRaftVoterRequest>

export const removeRaftVoterResponse = message(
  { name: 'RemoveRaftVoterResponse', apiKey: 81, validVersions: '0', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ cut: true, nullable: true }),
  },
)
export type RemoveRaftVoterResponse = Infer<typeof removeRaftVoterResponse>

export const removeRaftVoterApi = api(removeRaftVoterRequest, removeRaftVoterResponse, {
  listeners: BOTH,
  forwardable: true,
})
