import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { clusterKeyOf, keyOf } from '../api/resource.ts'
import type { KafkaCluster, KafkaTopic } from '../api/resource.ts'
import { LocalError } from './local-error.ts'
import { problemsOf, withDefaults } from './schema.ts'
import type { Schema } from './schema.ts'

const CRDS = resolve(import.meta.dirname, '../../crds')
const NAMESPACE = 'default'

/** What a file, or all YAML files of a directory, ask for. */
export interface Manifests {
  readonly clusters: readonly KafkaCluster[]
  /** Each of one of `clusters`. */
  readonly topics: readonly KafkaTopic[]
}

/** Reads `path` as an API server would: defaults filled in, mistakes refused. Throws LocalError. Other kinds are left out. */
export function readManifests(path: string): Manifests {
  const documents = filesOf(path).flatMap(documentsOf)
  const clusters = documents
    .filter(({ kind }) => kind === 'KafkaCluster')
    .map((document) => accept<KafkaCluster>(document))
  const topics = documents.filter(({ kind }) => kind === 'KafkaTopic').map((document) => accept<KafkaTopic>(document))
  if (clusters.length === 0) throw new LocalError(`${path} has no KafkaCluster`)
  const elsewhere = clusters.find(({ spec }) => spec.distribution !== 'bundled')
  if (elsewhere !== undefined) {
    const what = `KafkaCluster ${keyOf(elsewhere)}: spec.distribution ${elsewhere.spec.distribution}`
    throw new LocalError(`${what} is a container image, which needs Kubernetes; only bundled runs on this machine`)
  }
  const secret = clusters.find(({ spec }) => spec.listeners.some(({ tls }) => tls))
  if (secret !== undefined) {
    const what = `KafkaCluster ${keyOf(secret)}: spec.listeners[].tls`
    throw new LocalError(`${what}: certificates are in Secrets, which need Kubernetes; use tls: false on this machine`)
  }
  const keys = new Set(clusters.map(keyOf))
  const stray = topics.find((topic) => !keys.has(clusterKeyOf(topic)))
  if (stray !== undefined) {
    throw new LocalError(`KafkaTopic ${keyOf(stray)}: there is no KafkaCluster ${clusterKeyOf(stray)} in ${path}`)
  }
  return { clusters, topics }
}

interface Document {
  readonly kind: string
  readonly metadata?: { readonly name?: string; readonly namespace?: string }
  readonly file: string
  readonly content: Record<string, unknown>
}

function filesOf(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path]
    return readdirSync(path)
      .filter((name) => /\.ya?ml$/.test(name))
      .sort()
      .map((name) => join(path, name))
  } catch (error) {
    throw new LocalError(`${path} cannot be read: ${String(error)}`)
  }
}

function documentsOf(file: string): Document[] {
  return parseAllDocuments(readFileSync(file, 'utf8'), { intAsBigInt: true }).flatMap((document) => {
    const [error] = document.errors
    if (error !== undefined) throw new LocalError(`${file}: ${error.message}`)
    const content = document.toJS({ reviver: (_, value: unknown) => exact(value) }) as Record<string, unknown> | null
    return content === null || typeof content.kind !== 'string'
      ? []
      : [{ kind: content.kind, metadata: content.metadata ?? {}, file, content }]
  })
}

/** An integer past 2^53, as Kafka's configs have them, is its text: as a number it would be another one. */
function exact(value: unknown): unknown {
  if (typeof value !== 'bigint') return value
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
}

function accept<T extends KafkaCluster | KafkaTopic>({ kind, metadata, file, content }: Document): T {
  const name = metadata?.name
  if (name === undefined || !/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(name)) {
    throw new LocalError(`${file}: ${kind}: metadata.name must be a lower-case DNS name`)
  }
  const schema = specSchema(kind)
  const problems = problemsOf(schema, content.spec ?? null, 'spec')
  if (problems.length > 0) throw new LocalError(`${file}: ${kind} ${name} is invalid:\n  ${problems.join('\n  ')}`)
  const namespace = metadata?.namespace ?? NAMESPACE
  return { ...content, metadata: { ...metadata, name, namespace }, spec: withDefaults(schema, content.spec) } as T
}

function specSchema(kind: string): Schema {
  const crd = parse(readFileSync(join(CRDS, `${kind.toLowerCase()}.yaml`), 'utf8')) as Crd
  return crd.spec.versions[0]?.schema.openAPIV3Schema.properties.spec ?? {}
}

interface Crd {
  spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: Schema } } } }[] }
}
