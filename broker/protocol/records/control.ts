import { array, int16, int32, int64, string, struct, uint16, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'

export const leaderChangeMessage = message(
  { name: 'LeaderChangeMessage', validVersions: '0-1', flexibleVersions: '0+' },
  {
    version: int16(),
    leaderId: int32(),
    voters: array(
      struct({
        voterId: int32(),
        voterDirectoryId: uuid({ versions: '1+' }),
      }),
    ),
    grantingVoters: array(
      struct({
        voterId: int32(),
        voterDirectoryId: uuid({ versions: '1+' }),
      }),
    ),
  },
)
export type LeaderChangeMessage = Infer<typeof leaderChangeMessage>

export const snapshotHeaderRecord = message(
  { name: 'SnapshotHeaderRecord', validVersions: '0', flexibleVersions: '0+' },
  {
    version: int16(),
    lastContainedLogTimestamp: int64(),
  },
)
export type SnapshotHeaderRecord = Infer<typeof snapshotHeaderRecord>

export const snapshotFooterRecord = message(
  { name: 'SnapshotFooterRecord', validVersions: '0', flexibleVersions: '0+' },
  {
    version: int16(),
  },
)
export type SnapshotFooterRecord = Infer<typeof snapshotFooterRecord>

export const kraftVersionRecord = message(
  { name: 'KRaftVersionRecord', validVersions: '0', flexibleVersions: '0+' },
  {
    version: int16(),
    kraftVersion: int16(),
  },
)
export type KRaftVersionRecord = Infer<typeof kraftVersionRecord>

export const votersRecord = message(
  { name: 'VotersRecord', validVersions: '0', flexibleVersions: '0+' },
  {
    version: int16(),
    voters: array(
      struct({
        voterId: int32(),
        voterDirectoryId: uuid(),
        endpoints: array(
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
      }),
    ),
  },
)
export type VotersRecord = Infer<typeof votersRecord>

export const endTxnMarker = message(
  { name: 'EndTxnMarker', validVersions: '0', flexibleVersions: 'none' },
  {
    coordinatorEpoch: int32(),
  },
)
export type EndTxnMarker = Infer<typeof endTxnMarker>
