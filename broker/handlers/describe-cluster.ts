import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { authorizedOperations, CLUSTER_OPERATIONS } from './authorized-operations.ts'
import type { ClusterView } from './cluster-view.ts'
import type { Handler } from './handler.ts'

const BROKERS = 1
const CONTROLLERS = 2

export interface DescribeClusterDeps {
  readonly cluster: () => ClusterView
  readonly isControllerListener: (listener: string) => boolean
}

/** DescribeCluster (60), v0 to v2: brokers, or controllers when asked on their listener (KIP-700, KIP-919). */
export function describeClusterHandler(deps: DescribeClusterDeps): Handler<typeof ApiKey.DescribeCluster> {
  return {
    key: ApiKey.DescribeCluster,
    handle: (request, { listener }) => {
      const cluster = deps.cluster()
      const onController = deps.isControllerListener(listener)
      const refusal = refusalOf(request.endpointType, onController)
      if (refusal !== undefined) return { throttleTimeMs: 0, ...refusal, clusterId: '', brokers: [] }
      const nodes = onController
        ? cluster.controllers(listener)
        : cluster.brokers(listener, request.includeFencedBrokers)
      return {
        throttleTimeMs: 0,
        errorCode: ErrorCode.NONE,
        errorMessage: null,
        endpointType: request.endpointType,
        clusterId: cluster.clusterId,
        controllerId: cluster.controllerId,
        brokers: nodes.map(({ id, host, port, rack, isFenced }) => ({ brokerId: id, host, port, rack, isFenced })),
        clusterAuthorizedOperations: authorizedOperations(
          request.includeClusterAuthorizedOperations,
          CLUSTER_OPERATIONS,
        ),
      }
    },
  }
}

function refusalOf(
  endpointType: number,
  onController: boolean,
): { errorCode: ErrorCode; errorMessage: string } | undefined {
  if (endpointType !== BROKERS && endpointType !== CONTROLLERS) {
    return { errorCode: ErrorCode.UNSUPPORTED_ENDPOINT_TYPE, errorMessage: `Unsupported endpoint type ${endpointType}` }
  }
  if ((endpointType === CONTROLLERS) === onController) return undefined
  const [asked, has] = onController ? ['BROKER', 'CONTROLLER'] : ['CONTROLLER', 'BROKER']
  return {
    errorCode: ErrorCode.MISMATCHED_ENDPOINT_TYPE,
    errorMessage: `The request was sent to an endpoint of type ${has}, but we wanted an endpoint of type ${asked}`,
  }
}
