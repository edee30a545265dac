import { array, bytes, int32, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'

/** What a consumer says of itself in JoinGroup: an int16 version, then this. */
export const consumerProtocolSubscription = message(
  { name: 'ConsumerProtocolSubscription', validVersions: '0-3', flexibleVersions: 'none' },
  {
    topics: array(string()),
    userData: bytes({ nullable: true, default: null }),
    ownedPartitions: array(
      struct({
        topic: string(),
        partitions: array(int32()),
      }),
      { versions: '1+' },
    ),
    generationId: int32({ versions: '2+', default: -1 }),
    rackId: string({ versions: '3+', nullable: true, default: null }),
  },
)
export type ConsumerProtocolSubscription = Infer<typeof consumerProtocolSubscription>

/** What the leader gives a consumer in SyncGroup: an int16 version, then this. */
export const consumerProtocolAssignment = message(
  { name: 'ConsumerProtocolAssignment', validVersions: '0-3', flexibleVersions: 'none' },
  {
    assignedPartitions: array(
      struct({
        topic: string(),
        partitions: array(int32()),
      }),
    ),
    userData: bytes({ nullable: true, default: null }),
  },
)
export type ConsumerProtocolAssignment = Infer<typeof consumerProtocolAssignment>
