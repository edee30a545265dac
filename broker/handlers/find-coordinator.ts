import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { FindCoordinatorRequest, FindCoordinatorResponse } from '../protocol/messages/find-coordinator.ts'
import type { RequestContext } from '../security/request-context.ts'
import type { Handler } from './handler.ts'

/** Where the coordinators live. */
export interface Coordinators {
  /** The broker that coordinates a group, as clients of `listener` reach it; where `__consumer_offsets` is missing, begins to create it. */
  ofGroup(groupId: string, listener: string): { id: number; host: string; port: number } | undefined
}

export interface FindCoordinatorDeps {
  readonly coordinators: Coordinators
}

const GROUP = 0
const BATCH_VERSION = 4

type Coordinator = FindCoordinatorResponse['coordinators'][number]

/**
 * FindCoordinator (10), v0 to v6; v4 asks for many keys at once (KIP-699). Only groups have a coordinator so far; a
 * transactional id is refused with an error that clients do not retry. Nobody waits for `__consumer_offsets` to be created: as with Apache
 * Kafka it is COORDINATOR_NOT_AVAILABLE, which clients retry, until it is there.
 */
export function findCoordinatorHandler(deps: FindCoordinatorDeps): Handler<typeof ApiKey.FindCoordinator> {
  return {
    key: ApiKey.FindCoordinator,
    handle: (request, context) => {
      const keys = context.apiVersion >= BATCH_VERSION ? request.coordinatorKeys : [request.key]
      const coordinators = keys.map((key) => find(deps, request, key, context))
      const single = coordinators[0] ?? unavailable('', ErrorCode.INVALID_REQUEST, null)
      const { errorCode, errorMessage, nodeId, host, port } = single
      return { throttleTimeMs: 0, coordinators, errorCode, errorMessage, nodeId, host, port }
    },
  }
}

function unavailable(key: string, errorCode: ErrorCode, errorMessage: string | null): Coordinator {
  return { key, nodeId: -1, host: '', port: -1, errorCode, errorMessage }
}

function find(
  deps: FindCoordinatorDeps,
  request: FindCoordinatorRequest,
  key: string,
  context: RequestContext,
): Coordinator {
  if (request.keyType < 0 || request.keyType > 2)
    return unavailable(key, ErrorCode.INVALID_REQUEST, `Unknown coordinator key type ${request.keyType}.`)
  if (request.keyType !== GROUP)
    return unavailable(
      key,
      ErrorCode.INVALID_REQUEST,
      'This broker coordinates consumer groups only: transactions and share groups are not served.',
    )
  const node = deps.coordinators.ofGroup(key, context.listener)
  if (node === undefined) return unavailable(key, ErrorCode.COORDINATOR_NOT_AVAILABLE, null)
  // What Apache Kafka writes where nothing is wrong.
  const errorMessage = context.apiVersion >= BATCH_VERSION ? '' : 'NONE'
  return { key, nodeId: node.id, host: node.host, port: node.port, errorCode: ErrorCode.NONE, errorMessage }
}
