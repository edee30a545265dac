import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClusterNode } from '../rig/cluster-node.ts'

/** The bytes of a partition's log on one node's disk, its segments in order. */
export function logBytes(node: ClusterNode, topic: string, partition: number): Buffer {
  const directory = join(node.logDir, `${topic}-${partition}`)
  const segments = readdirSync(directory).filter((name) => name.endsWith('.log'))
  return Buffer.concat(segments.sort().map((name) => readFileSync(join(directory, name))))
}

/** The partitions whose replicas are not the same to the byte; the nodes must have ended, their followers caught up. */
export function differing(nodes: readonly ClusterNode[], topic: string, partitions: number): string[] {
  return Array.from({ length: partitions }, (_, partition) => partition).flatMap((partition) => {
    const [first, ...others] = nodes.map((node) => logBytes(node, topic, partition))
    const sizes = nodes.map(({ id }, index) => `${id}: ${[first, ...others][index]?.length} bytes`)
    return others.every((other) => first?.equals(other)) ? [] : [`${topic}-${partition}: ${sizes.join(', ')}`]
  })
}
