import { SERVICE, SERVICE_ACCOUNT } from '../api/resource.ts'
import type { KafkaCluster, Manifest } from '../api/resource.ts'
import { externalListeners } from './external-services.ts'
import { brokerSelectorOf, ownedManifest, selectorOf } from './labels.ts'
import {
  bootstrapServiceName,
  CONTROLLER_LISTENER,
  CONTROLLER_PORT,
  headlessServiceName,
  INTERNAL_LISTENER,
  INTERNAL_PORT,
  METRICS_PORT,
  isBroker,
  isController,
  serviceAccountName,
} from './nodes.ts'
import type { Pool } from './nodes.ts'

interface Port {
  readonly name: string
  readonly port: number
}

/** Listener name -> port, in the order of spec.listeners, the operator's own first. */
export function listenerPorts(cluster: KafkaCluster): Map<string, number> {
  return new Map([
    [CONTROLLER_LISTENER, CONTROLLER_PORT],
    [INTERNAL_LISTENER, INTERNAL_PORT],
    ...cluster.spec.listeners.map(({ name, port }): [string, number] => [name, port]),
  ])
}

/** Those that the nodes of `pool` serve. */
export function servedPorts(cluster: KafkaCluster, pool: Pool): Map<string, number> {
  const isServed = (name: string): boolean => (name === CONTROLLER_LISTENER ? isController(pool) : isBroker(pool))
  return new Map([...listenerPorts(cluster)].filter(([name]) => isServed(name)))
}

/** Gives each pod its DNS name; before it is ready too, since controllers find each other by it to become ready. */
export function headlessService(cluster: KafkaCluster): Manifest {
  const ports = [...listenerPorts(cluster)].map(([name, port]) => ({ name, port }))
  return {
    ...ownedManifest(cluster, SERVICE, headlessServiceName(cluster)),
    spec: {
      type: 'ClusterIP',
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: selectorOf(cluster),
      ports: servicePorts([...ports, { name: 'metrics', port: METRICS_PORT }]),
    },
  }
}

/** One address for clients inside of Kubernetes to begin with. */
export function bootstrapService(cluster: KafkaCluster): Manifest {
  const external = externalListeners(cluster).map(({ name }) => name)
  const ports = [...listenerPorts(cluster)].filter(([name]) => name !== CONTROLLER_LISTENER && !external.includes(name))
  return {
    ...ownedManifest(cluster, SERVICE, bootstrapServiceName(cluster)),
    spec: {
      type: 'ClusterIP',
      selector: brokerSelectorOf(cluster),
      ports: servicePorts(ports.map(([name, port]) => ({ name, port }))),
    },
  }
}

/** An identity without rights; its token is not mounted. */
export function serviceAccount(cluster: KafkaCluster): Manifest {
  return {
    ...ownedManifest(cluster, SERVICE_ACCOUNT, serviceAccountName(cluster)),
    automountServiceAccountToken: false,
  }
}

function servicePorts(ports: readonly Port[]): object[] {
  return ports.map(({ name, port }) => ({ name, port, targetPort: port, protocol: 'TCP' }))
}
