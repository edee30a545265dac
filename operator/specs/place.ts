import { GROUP } from '../api/resource.ts'
import type { KafkaCluster } from '../api/resource.ts'
import { externalListeners } from './external-services.ts'
import { isBroker } from './nodes.ts'
import type { Pool } from './nodes.ts'

/**
 * What a broker can be told only once its pod has a Kubernetes node: its rack, and by what clients outside reach it. A pod has no API token, so
 * the operator writes both into annotations of the pod; an init container waits for them, and the broker gets them as arguments.
 */
export const ANNOTATION_RACK = `${GROUP}/rack`
/** What the operator's own values of the annotation that has a pod restarted begin with: those of others it leaves alone. */
export const MOVED = 'its place has changed: '
/** The value of advertised.listeners. */
export const ANNOTATION_ADVERTISED = `${GROUP}/advertised-listeners`

interface Fact {
  /** Environment variable. */
  readonly env: string
  readonly annotation: string
  /** Kafka's key. */
  readonly key: string
  /** In `ROOT`. */
  readonly file: string
}

const ROOT = '/etc/ottla-place'
const RACK: Fact = { env: 'RACK', annotation: ANNOTATION_RACK, key: 'broker.rack', file: 'rack' }
const ADVERTISED: Fact = {
  env: 'ADVERTISED_LISTENERS',
  annotation: ANNOTATION_ADVERTISED,
  key: 'advertised.listeners',
  file: 'advertised-listeners',
}

/** What has to be added to the pods of a pool. */
export interface PlaceParts {
  /** Of the init container that waits; null where there is nothing to wait for. */
  readonly wait: { readonly args: readonly string[]; readonly volumeMount: object } | null
  readonly volumes: readonly object[]
  /** Of the broker's container. */
  readonly env: readonly object[]
  readonly args: readonly string[]
}

/** The annotations that the pods of `pool` wait for. */
export function placeAnnotations(cluster: KafkaCluster, pool: Pool): string[] {
  return factsOf(cluster, pool).map(({ annotation }) => annotation)
}

/** Empty for pools of which nothing has to be known. Kafka's own start script takes the same arguments. */
export function placeParts(cluster: KafkaCluster, pool: Pool): PlaceParts {
  const facts = factsOf(cluster, pool)
  if (facts.length === 0) return { wait: null, volumes: [], env: [], args: [] }
  const fieldPath = ({ annotation }: Fact): string => `metadata.annotations['${annotation}']`
  const items = facts.map((fact) => ({ path: fact.file, fieldRef: { fieldPath: fieldPath(fact) } }))
  return {
    wait: {
      args: ['broker/await-files.js', ...facts.map(({ file }) => `${ROOT}/${file}`)],
      volumeMount: { name: 'place', mountPath: ROOT, readOnly: true },
    },
    volumes: [{ name: 'place', downwardAPI: { items } }],
    env: facts.map((fact) => ({ name: fact.env, valueFrom: { fieldRef: { fieldPath: fieldPath(fact) } } })),
    args: facts.flatMap(({ key, env }) => ['--override', `${key}=$(${env})`]),
  }
}

function factsOf(cluster: KafkaCluster, pool: Pool): Fact[] {
  if (!isBroker(pool)) return []
  return [
    ...(cluster.spec.rack === undefined ? [] : [RACK]),
    ...(externalListeners(cluster).length === 0 ? [] : [ADVERTISED]),
  ]
}
