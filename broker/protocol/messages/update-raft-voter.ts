import { array, int16, int32, string, struct, uint16, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, CONTROLLER } from '../api.ts'

export const updateRaftVoterRequest = message(
  { name: 'UpdateRaftVoterRequest', apiKey: 82, validVersions: '0', flexibleVersions: '0+' },
  {
    clusterId: string({ nullable: true }),
    currentLeaderEpoch: int32(),
    voterId: int32(),
    voterDirectoryId: uuid(),
    listeners: array(
      struct({
        name: string(),
        host: string(),
        port: uint16(),
      }),
    ),
    kraftVersionFeature: struct({
      minSupportedVersion: int16(),
      maxSupportedVersion: int16(),
    }),
  },
)
export type UpdateRaftVoterRequest = Infer<typeof updateRaftVoterRequest>

export const updateRaftVoterResponse = message(
  { name: 'UpdateRaftVoterResponse', apiKey: 82, validVersions: '0', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    currentLeader: struct(
      {
        leaderId: int32({ default: -1 }),
        leaderEpoch: int32({ default: -1 }),
        host: string(),
        port: int32(),
      },
      { tag: 0 },
    ),
  },
)
export type UpdateRaftVoterResponse = Infer<typeof updateRaftVoterResponse>

export const updateRaftVoterApi = api(updateRaftVoterRequest, updateRaftVoterResponse, { listeners: CONTROLLER })
