import { int16, int32, int64 } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, CONTROLLER } from '../api.ts'

export const allocateProducerIdsRequest = message(
  { name: 'AllocateProducerIdsRequest', apiKey: 67, validVersions: '0', flexibleVersions: '0+' },
  {
    brokerId: int32(),
    brokerEpoch: int64({ default: -1n }),
  },
)
export type AllocateProducerIdsRequest = Infer<typeof allocateProducerIdsRequest>

export const allocateProducerIdsResponse = message(
  { name: 'AllocateProducerIdsResponse', apiKey: 67, validVersions: '0', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerIdStart: int64(),
    producerIdLen: int32(),
  },
)
export type AllocateProducerIdsResponse = Infer<typeof allocateProducerIdsResponse>

export const allocateProducerIdsApi = api(allocateProducerIdsRequest, allocateProducerIdsResponse, {
  listeners: CONTROLLER,
  forwardable: true,
  clusterAction: true,
})
