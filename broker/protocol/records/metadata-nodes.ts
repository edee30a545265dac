import { array, bool, int16, int32, int64, int8, string, struct, uint16, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'

export const registerBrokerRecord = message(
  { name: 'RegisterBrokerRecord', apiKey: 0, validVersions: '0-4', flexibleVersions: '0+' },
  {
    brokerId: int32(),
    isMigratingZkBroker: bool({ versions: '2+' }),
    incarnationId: uuid(),
    brokerEpoch: int64(),
    endPoints: array(
      struct({
        name: string(),
        host: string(),
        port: uint16(),
        securityProtocol: int16(),
      }),
    ),
    features: array(
      struct({
        name: string(),
        minSupportedVersion: int16(),
        maxSupportedVersion: int16(),
      }),
    ),
    rack: string({ nullable: true }),
    fenced: bool({ default: true }),
    inControlledShutdown: bool({ versions: '1+' }),
    logDirs: array(uuid(), { versions: '3+', tag: 0 }),
    cordonedLogDirs: array(uuid(), { versions: '4+', nullable: true, tag: 1, default: null }),
  },
)
export type RegisterBrokerRecord = Infer<typeof registerBrokerRecord>

export const unregisterBrokerRecord = message(
  { name: 'UnregisterBrokerRecord', apiKey: 1, validVersions: '0', flexibleVersions: '0+' },
  {
    brokerId: int32(),
    brokerEpoch: int64(),
  },
)
export type UnregisterBrokerRecord = Infer<typeof unregisterBrokerRecord>

export const brokerRegistrationChangeRecord = message(
  { name: 'BrokerRegistrationChangeRecord', apiKey: 17, validVersions: '0-3', flexibleVersions: '0+' },
  {
    brokerId: int32(),
    brokerEpoch: int64(),
    fenced: int8({ tag: 0 }),
    inControlledShutdown: int8({ versions: '1+', tag: 1 }),
    logDirs: array(uuid(), { versions: '2+', tag: 2 }),
    cordonedLogDirs: array(uuid(), { versions: '3+', nullable: true, tag: 3, default: null }),
  },
)
export type BrokerRegistrationChangeRecord = Infer<typeof brokerRegistrationChangeRecord>

export const fenceBrokerRecord = message(
  { name: 'FenceBrokerRecord', apiKey: 7, validVersions: '0', flexibleVersions: '0+' },
  {
    id: int32(),
    epoch: int64(),
  },
)
export type FenceBrokerRecord = Infer<typeof fenceBrokerRecord>

export const unfenceBrokerRecord = message(
  { name: 'UnfenceBrokerRecord', apiKey: 8, validVersions: '0', flexibleVersions: '0+' },
  {
    id: int32(),
    epoch: int64(),
  },
)
export type UnfenceBrokerRecord = Infer<typeof unfenceBrokerRecord>

export const registerControllerRecord = message(
  { name: 'RegisterControllerRecord', apiKey: 27, validVersions: '0', flexibleVersions: '0+' },
  {
    controllerId: int32(),
    incarnationId: uuid(),
    zkMigrationReady: bool(),
    endPoints: array(
      struct({
        name: string(),
        host: string(),
        port: uint16(),
        securityProtocol: int16(),
      }),
    ),
    features: array(
      struct({
        name: string(),
        minSupportedVersion: int16(),
        maxSupportedVersion: int16(),
      }),
    ),
  },
)
export type RegisterControllerRecord = Infer<typeof registerControllerRecord>
