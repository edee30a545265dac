import type { MetadataImage } from '../metadata/image.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { checkBrokerEpoch } from './brokers.ts'
import { ApiError, attempt, type Outcome } from './result.ts'

type Request = RequestOf<typeof ApiKey.AllocateProducerIds>
type Response = ResponseInputOf<typeof ApiKey.AllocateProducerIds>

/** Ids in a block: KIP-730. */
const BLOCK_SIZE = 1000

/** Gives the broker a block of producer ids that nobody else gets. */
export function allocateProducerIds(image: MetadataImage, request: Request): Outcome<Response> {
  const { brokerId, brokerEpoch } = request
  const broker = attempt(() => checkBrokerEpoch(image, brokerId, Number(brokerEpoch)))
  if (broker instanceof ApiError) {
    return {
      records: [],
      response: { throttleTimeMs: 0, errorCode: broker.code, producerIdStart: 0n, producerIdLen: 0 },
    }
  }
  const first = image.producerIds.nextProducerId
  const nextProducerId = BigInt(first + BLOCK_SIZE)
  return {
    records: [{ type: 'ProducerIdsRecord', version: 0, value: { brokerId, brokerEpoch, nextProducerId } }],
    response: {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      producerIdStart: BigInt(first),
      producerIdLen: BLOCK_SIZE,
    },
  }
}
