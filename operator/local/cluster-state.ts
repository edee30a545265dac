import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../../broker/env/random.ts'
import type { KafkaCluster } from '../api/resource.ts'
import { newClusterId } from '../specs/cluster-id.ts'
import { poolStatuses } from '../specs/pool-status.ts'
import type { PoolStatus } from '../specs/pool-status.ts'
import { LocalError } from './local-error.ts'

export interface Identified {
  /** With the node ids of its pools in status.pools. */
  readonly cluster: KafkaCluster
  readonly clusterId: string
}

/**
 * The cluster whose data is in `directory`, with the ids that it has had; new ones are written down before anything is made of them. Throws
 * LocalError where the data is of other pools.
 */
export function identify(cluster: KafkaCluster, directory: string, random: Random): Identified {
  mkdirSync(directory, { recursive: true })
  const clusterId = kept(join(directory, 'cluster-id'), () => newClusterId(random))
  const text = kept(join(directory, 'pools.json'), () => JSON.stringify(poolStatuses(cluster, [])))
  const pools = JSON.parse(text) as PoolStatus[]
  const before = shapeOf(pools.map(({ name, nodeIds }) => [name, nodeIds.length]))
  const now = shapeOf(cluster.spec.pools.map(({ name, replicas }) => [name, replicas]))
  if (before !== now) {
    throw new LocalError(
      `KafkaCluster ${cluster.metadata.name} has the pools ${before} in ${directory} and ${now} in its manifest: pools cannot be changed yet; change it back, or choose another --data`,
    )
  }
  return { cluster: { ...cluster, status: { ...cluster.status, pools } }, clusterId }
}

function shapeOf(pools: readonly (readonly [string, number])[]): string {
  return pools
    .map(([name, count]) => `${name} (${count} nodes)`)
    .sort()
    .join(', ')
}

function kept(file: string, make: () => string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  const text = make()
  writeFileSync(file, `${text}\n`)
  return text
}
