import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { InitProducerIdRequest, InitProducerIdResponse } from '../protocol/messages/init-producer-id.ts'
import type { ProducerIds } from '../coordinator/producer-ids.ts'
import type { Handler } from './handler.ts'

export interface InitProducerIdDeps {
  readonly producerIds: ProducerIds
}

const NONE = -1

/**
 * InitProducerId (22), v0 to v5: a new id for each idempotent producer, which bumps its epoch by itself (KIP-360). A transactional
 * id has no coordinator here yet.
 */
export function initProducerIdHandler(deps: InitProducerIdDeps): Handler<typeof ApiKey.InitProducerId> {
  return {
    key: ApiKey.InitProducerId,
    handle: async (request) => {
      const refusal = refusalOf(request)
      if (refusal !== ErrorCode.NONE) return answer(refusal, NONE, NONE)
      try {
        return answer(ErrorCode.NONE, await deps.producerIds.next(), 0)
      } catch {
        return answer(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, NONE, NONE)
      }
    },
  }
}

function refusalOf(request: InitProducerIdRequest): ErrorCode {
  if (request.transactionalId === '') return ErrorCode.INVALID_REQUEST
  if (request.transactionalId !== null) return ErrorCode.NOT_COORDINATOR
  const bothOrNone = (request.producerId === -1n) === (request.producerEpoch === NONE)
  return bothOrNone ? ErrorCode.NONE : ErrorCode.INVALID_REQUEST
}

function answer(errorCode: ErrorCode, producerId: number, producerEpoch: number): InitProducerIdResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    producerId: BigInt(producerId),
    producerEpoch,
    ongoingTxnProducerId: -1n,
    ongoingTxnProducerEpoch: NONE,
  }
}
