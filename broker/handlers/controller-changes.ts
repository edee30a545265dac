import type { ConfigOrigin } from '../controller/config-change.ts'
import type { Controller } from '../controller/controller.ts'
import { NotControllerError } from '../controller/metadata-writer.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { Requester, RequestContext } from '../security/request-context.ts'
import { sendOthers } from './broker-config-checks.ts'
import { alterLoggers, type LoggerDeps } from './broker-loggers.ts'
import { type Failure, failureOf, FORWARDED_KEYS, type ForwardedKey } from './forwarded-apis.ts'
import { type Answer, type Handler, handler } from './handler.ts'

export interface ControllerChangesDeps extends LoggerDeps {
  readonly controller: Controller
  /** delete.topic.enable */
  readonly deleteTopicEnable: boolean
  /** A broker of the cluster sends its heartbeats on this connection. */
  readonly onHeartbeat: (brokerId: number, connection: Requester) => void
}

/**
 * What the active controller decides, for clients and for brokers: CreateTopics (19), DeleteTopics (20), AlterConfigs (33),
 * CreatePartitions (37), ElectLeaders (43), IncrementalAlterConfigs (44), AlterPartitionReassignments (45), ListPartitionReassignments
 * (46), AlterPartition (56), UpdateFeatures (57), BrokerRegistration (62), BrokerHeartbeat (63), UnregisterBroker (64),
 * AllocateProducerIds (67), ControllerRegistration (70), AssignReplicasToDirs (73). Answered when it is committed. The handlers reject
 * with NotControllerError where this node is not the active controller.
 */
export function controllerChangeHandlers(deps: ControllerChangesDeps): Handler<ApiKey>[] {
  const { controller, deleteTopicEnable, onHeartbeat } = deps
  return [
    inTime(ApiKey.CreateTopics, (request) => controller.createTopics(request)),
    deleteTopicEnable ? inTime(ApiKey.DeleteTopics, (request) => controller.deleteTopics(request)) : DELETION_DISABLED,
    handler(ApiKey.AlterConfigs, (request, context) => controller.alterConfigs(request, originOf(context))),
    inTime(ApiKey.CreatePartitions, (request) => controller.createPartitions(request)),
    inTime(ApiKey.ElectLeaders, (request) => controller.electLeaders(request)),
    handler(ApiKey.IncrementalAlterConfigs, (request, context) =>
      sendOthers(request, alterLoggers(request, deps), (left) =>
        controller.incrementalAlterConfigs(left, originOf(context)),
      ),
    ),
    inTime(ApiKey.AlterPartitionReassignments, (request) => controller.alterPartitionReassignments(request)),
    handler(ApiKey.ListPartitionReassignments, (request) => controller.listPartitionReassignments(request)),
    handler(ApiKey.AlterPartition, (request) => controller.alterPartition(request)),
    handler(ApiKey.UpdateFeatures, (request) => controller.updateFeatures(request)),
    handler(ApiKey.BrokerRegistration, (request) => controller.registerBroker(request)),
    handler(ApiKey.BrokerHeartbeat, async (request, { connection }) => {
      const answer = await controller.brokerHeartbeat(request)
      if (answer.errorCode === ErrorCode.NONE) onHeartbeat(request.brokerId, connection)
      return answer
    }),
    handler(ApiKey.UnregisterBroker, (request) => controller.unregisterBroker(request)),
    handler(ApiKey.AllocateProducerIds, (request) => controller.allocateProducerIds(request)),
    handler(ApiKey.ControllerRegistration, (request) => controller.registerController(request)),
    handler(ApiKey.AssignReplicasToDirs, (request) => controller.assignReplicasToDirs(request)),
  ]
}

type TimedKey =
  | typeof ApiKey.CreateTopics
  | typeof ApiKey.DeleteTopics
  | typeof ApiKey.CreatePartitions
  | typeof ApiKey.ElectLeaders
  | typeof ApiKey.AlterPartitionReassignments

const TIMED_OUT: Failure = { errorCode: ErrorCode.REQUEST_TIMED_OUT, errorMessage: null }

/** A change that is given no time is not begun: Apache Kafka's controller finds it too late when its turn comes. */
function inTime<K extends TimedKey>(
  key: K,
  change: (request: RequestOf<K>) => Answer<K> | Promise<Answer<K>>,
): Handler<K> {
  return handler(key, (request) => (request.timeoutMs > 0 ? change(request) : failureOf(key, request, TIMED_OUT)))
}

const DISABLED: Failure = { errorCode: ErrorCode.TOPIC_DELETION_DISABLED, errorMessage: null }
/** Before v3 there is no error of its own. */
const DISABLED_UNTOLD: Failure = { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: null }

/** What delete.topic.enable=false answers, whatever is wrong besides, and also where this is not the active controller. */
const DELETION_DISABLED = handler(ApiKey.DeleteTopics, (request, { apiVersion }) =>
  failureOf(ApiKey.DeleteTopics, request, apiVersion < 3 ? DISABLED_UNTOLD : DISABLED),
)

function originOf(context: RequestContext): ConfigOrigin {
  return context.isForwarded === true ? 'broker' : 'client'
}

const NOT_CONTROLLER = {
  errorCode: ErrorCode.NOT_CONTROLLER,
  errorMessage: 'This is not the correct controller for this cluster.',
}

/** For those who ask the controller without an envelope: a NotControllerError becomes the answer's error. */
export function answeringNotController<K extends ApiKey>(served: Handler<K>): Handler<K> {
  return {
    ...served,
    handle: async (request, context) => {
      try {
        return await served.handle(request, context)
      } catch (error) {
        if (!(error instanceof NotControllerError)) throw error
        return notController(served.key, request)
      }
    },
  }
}

/** What brokers and controllers ask among themselves has its error at the top. */
function notController<K extends ApiKey>(key: K, request: RequestOf<K>) {
  return isForwarded(key) ? failureOf(key, request as RequestOf<typeof key>, NOT_CONTROLLER) : NOT_CONTROLLER
}

function isForwarded(key: number): key is ForwardedKey {
  return (FORWARDED_KEYS as readonly number[]).includes(key)
}
