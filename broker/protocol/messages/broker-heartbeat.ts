import { array, bool, int16, int32, int64, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, CONTROLLER } from '../api.ts'

export const brokerHeartbeatRequest = message(
  { name: 'BrokerHeartbeatRequest', apiKey: 63, validVersions: '0-2', flexibleVersions: '0+' },
  {
    brokerId: int32(),
    brokerEpoch: int64({ default: -1n }),
    currentMetadataOffset: int64(),
    wantFence: bool(),
    wantShutDown: bool(),
    offlineLogDirs: array(uuid(), { versions: '1+', tag: 0 }),
    cordonedLogDirs: array(uuid(), { versions: '2+', nullable: true, tag: 1, default: null }),
  },
)
export type BrokerHeartbeatRequest = Infer<typeof brokerHeartbeatRequest>

export const brokerHeartbeatResponse = message(
  { name: 'BrokerHeartbeatResponse', apiKey: 63, validVersions: '0-2', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    isCaughtUp: bool(),
    isFenced: bool({ default: true }),
    shouldShutDown: bool(),
  },
)
export type BrokerHeartbeatResponse = Infer<typeof brokerHeartbeatResponse>

export const brokerHeartbeatApi = api(brokerHeartbeatRequest, brokerHeartbeatResponse, {
  listeners: CONTROLLER,
  clusterAction: true,
})
