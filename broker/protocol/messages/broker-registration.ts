import { array, bool, int16, int32, int64, string, struct, uint16, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, CONTROLLER } from '../api.ts'

export const brokerRegistrationRequest = message(
  { name: 'BrokerRegistrationRequest', apiKey: 62, validVersions: '0-4', flexibleVersions: '0+' },
  {
    brokerId: int32(),
    clusterId: string(),
    incarnationId: uuid(),
    listeners: array(
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
    isMigratingZkBroker: bool({ versions: '1+' }),
    logDirs: array(uuid(), { versions: '2+' }),
    previousBrokerEpoch: int64({ versions: '3+', default: -1n }),
  },
)
export type BrokerRegistrationRequest = Infer<typeof brokerRegistrationRequest>

export const brokerRegistrationResponse = message(
  { name: 'BrokerRegistrationResponse', apiKey: 62, validVersions: '0-4', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    brokerEpoch: int64({ default: -1n }),
  },
)
export type BrokerRegistrationResponse = Infer<typeof brokerRegistrationResponse>

export const brokerRegistrationApi = api(brokerRegistrationRequest, brokerRegistrationResponse, {
  listeners: CONTROLLER,
  clusterAction: true,
})
