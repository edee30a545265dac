import { array, int32, int64, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'

export const quorumStateData = message(
  { name: 'QuorumStateData', validVersions: '0-1', flexibleVersions: '0+' },
  {
    clusterId: string({ versions: '0' }),
    leaderId: int32({ default: -1 }),
    leaderEpoch: int32({ default: -1 }),
    votedId: int32({ default: -1 }),
    votedDirectoryId: uuid({ versions: '1+' }),
    appliedOffset: int64({ versions: '0' }),
    currentVoters: array(
      struct({
        voterId: int32(),
      }),
      { versions: '0', nullable: true },
    ),
  },
)
export type QuorumStateData = Infer<typeof quorumStateData>
