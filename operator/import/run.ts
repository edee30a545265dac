import { parseArgs } from 'node:util'
import { stringify } from 'yaml'
import { AdminClient } from '../../broker/client/admin-client.ts'
import type { ClusterDeps } from '../../broker/client/cluster.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'
import type { Address } from '../../broker/env/network.ts'
import { flagError, splitAddress } from '../api/address.ts'
import type { TopicState } from '../topic/admin.ts'
import { KafkaTopicAdmin } from '../topic/kafka-admin.ts'
import { importTopics } from './manifests.ts'
import type { ImportOptions } from './manifests.ts'

export interface ImportDeps extends ClusterDeps {
  readonly print: (text: string) => void
  readonly warn: (line: string) => void
}

/** `ottla import`: prints the YAML of an existing cluster's topics. Throws TypeError for flags that it does not know. */
export async function runImport(args: readonly string[], deps: ImportDeps): Promise<number> {
  const { bootstrap, options } = importFlags(args)
  await using client = new AdminClient({ bootstrap, clientId: 'ottla-import', timeoutMs: 30_000 }, deps)
  const { manifests, warnings } = importTopics(await readTopics(client), options)
  deps.print(manifests.map((manifest) => stringify(manifest, { lineWidth: 0 })).join('---\n'))
  for (const warning of warnings) deps.warn(warning)
  return 0
}

export function importFlags(args: readonly string[]): { bootstrap: readonly Address[]; options: ImportOptions } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      bootstrap: { type: 'string' },
      cluster: { type: 'string', default: 'kafka' },
      'cluster-namespace': { type: 'string' },
      namespace: { type: 'string' },
      observe: { type: 'boolean', default: false },
    },
  })
  if (values.bootstrap === undefined) {
    throw flagError('--bootstrap HOST:PORT is needed: a broker of the cluster')
  }
  const clusterNamespace = values['cluster-namespace']
  return {
    bootstrap: values.bootstrap.split(',').map(splitAddress),
    options: {
      cluster: { name: values.cluster, ...(clusterNamespace === undefined ? {} : { namespace: clusterNamespace }) },
      namespace: values.namespace ?? null,
      observe: values.observe,
    },
  }
}

/** All but the internal ones. Rejects with KafkaError, or where a topic cannot be described. */
async function readTopics(client: AdminClient): Promise<Map<string, TopicState>> {
  const admin = new KafkaTopicAdmin(client)
  const names = [...(await client.metadata(null))].flatMap(([name, topic]) =>
    topic instanceof KafkaError || topic.isInternal ? [] : [name],
  )
  const states = await Promise.all(names.map(async (name) => [name, await admin.describe(name)] as const))
  return new Map(states.flatMap(([name, state]) => (state === null ? [] : [[name, state] as const])))
}
