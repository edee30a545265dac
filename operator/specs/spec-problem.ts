import { brokerKey } from '../../broker/config/broker-keys.ts'
import { ConfigError } from '../../broker/config/config-error.ts'
import { parseServerConfig } from '../../broker/config/server-config.ts'
import type { KafkaCluster } from '../api/resource.ts'
import { tlsListeners } from './certificates.ts'
import { podConfig } from './config-map.ts'
import { nodesOf } from './nodes.ts'
import { quorumProblem } from './quorum.ts'

/**
 * What is wrong with a spec that admission let pass, in the broker's own words: unknown keys, values out of range, keys that contradict each
 * other. Null where the broker would start with it.
 */
export function specProblem(cluster: KafkaCluster): string | null {
  const quorum = quorumProblem(cluster)
  if (quorum !== null) return quorum
  const bare = tlsListeners(cluster).find(({ certificate }) => certificate === undefined)
  if (bare !== undefined) return `spec.listeners: ${bare.name}: tls needs certificate.secretName`
  // Nodes of a pool differ in names and numbers only.
  for (const node of nodesOf(cluster).filter(({ ordinal }) => ordinal === 0)) {
    try {
      parseServerConfig(podConfig(withoutTls(cluster), node))
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      return `spec.config: ${error.message}`
    }
  }
  const unknown = Object.keys(cluster.spec.config).filter((key) => brokerKey(key) === undefined)
  return unknown.length === 0 ? null : `spec.config: ${unknown.join(', ')}: not a key of Kafka's broker configuration`
}

/** Certificates are in pods only. */
function withoutTls({ spec, ...cluster }: KafkaCluster): KafkaCluster {
  return { ...cluster, spec: { ...spec, listeners: spec.listeners.map((listener) => ({ ...listener, tls: false })) } }
}
