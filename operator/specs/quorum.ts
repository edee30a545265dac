import { crc32c } from '../../broker/lib/crc32c.ts'
import { metadataVersionLevel } from '../../broker/protocol/metadata-version.ts'
import type { KafkaCluster } from '../api/resource.ts'
import { isController, nodesOf } from './nodes.ts'
import type { Node, Pool } from './nodes.ts'
import { isQuorumFormed } from './pool-memory.ts'

/** Voters that can change, as all of ours can, need it (KIP-853). */
const LEVEL_MIN = metadataVersionLevel('3.9-IV0') ?? 0

/**
 * How kafka-storage is told who begins the quorum (KIP-853): a single controller stands alone, several have to know each other, and a node
 * that is only a broker finds them by controller.quorum.bootstrap.servers. Once the quorum has been formed nobody begins it: a new
 * controller has a directory id of its own, and becomes a voter by the operator. `hostOf` gives `host:port` of a node's controller listener.
 * Who begins the quorum also says at which level of metadata.version: what the image would choose may be above, and is hard to get down from.
 */
export function quorumArgs(
  cluster: KafkaCluster,
  pool: Pool,
  clusterId: string,
  hostOf: (controller: Node) => string,
): string[] {
  if (!isController(pool)) return []
  if (isQuorumFormed(cluster)) return ['--no-initial-controllers']
  const release = releaseArgs(cluster)
  const controllers = nodesOf(cluster).filter((node) => isController(node.pool))
  if (controllers.length === 1) return ['--standalone', ...release]
  const voters = controllers.map((node) => `${node.nodeId}@${hostOf(node)}:${directoryId(clusterId, node.nodeId)}`)
  return ['--initial-controllers', voters.join(','), ...release]
}

/** A version that we do not know yet begins at its image's own level. */
function releaseArgs({ spec }: KafkaCluster): string[] {
  const name = spec.metadataVersion ?? spec.version
  return (metadataVersionLevel(name) ?? 0) < LEVEL_MIN ? [] : ['--release-version', name]
}

/**
 * The id of a controller's metadata log directory: a version 4 uuid as Kafka writes it. Made of what everybody knows, since a voter must
 * know those of the others before any of them is formatted. Never the same for two nodes: a CRC tells apart what differs in up to 32 bits.
 */
export function directoryId(clusterId: string, nodeId: number): string {
  const bytes = Buffer.alloc(16)
  for (let word = 0; word < 4; word++) {
    bytes.writeUInt32BE(crc32c(Buffer.from(`${word}/${clusterId}/${String(nodeId).padStart(10, '0')}`)), word * 4)
  }
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('base64url')
}

/** Why no quorum can come of these pools, or null. Admission refuses the same; without a Kubernetes nobody else does. */
export function quorumProblem({ spec }: KafkaCluster): string | null {
  const nodesWith = (role: 'broker' | 'controller'): number =>
    spec.pools.filter(({ roles }) => roles.includes(role)).reduce((sum, { replicas }) => sum + replicas, 0)
  const controllers = nodesWith('controller')
  if (controllers % 2 === 0) {
    return `spec.pools: the number of controllers must be odd, not ${controllers}: an even one survives no more failures, and none cannot start`
  }
  const brokers = nodesWith('broker')
  if (brokers === 0) return 'spec.pools: at least one pool must have the role broker'
  const wanted = spec.durability.replicationFactor ?? 1
  if (wanted > brokers) {
    return `spec.durability.replicationFactor ${wanted} exceeds the number of brokers ${brokers}: a topic could never be created`
  }
  return null
}
