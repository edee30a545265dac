import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { clusterKeyOf, GROUP, KAFKA_CLUSTER, KAFKA_TOPIC, keyOf, topicNameOf } from '../api/resource.ts'
import type { KafkaCluster, KafkaTopic } from '../api/resource.ts'
import { LocalError } from './local-error.ts'
import { brokenRules } from './rules.ts'
import { problemsOf, withDefaults } from './schema.ts'
import type { Schema } from './schema.ts'

const CRDS = resolve(import.meta.dirname, '../../crds')
const NAMESPACE = 'default'
const KINDS = new Set<string>([KAFKA_CLUSTER.kind, KAFKA_TOPIC.kind])

/** What a file, or all YAML files of a directory, ask for. */
export interface Manifests {
  readonly cluster: KafkaCluster
  /** Of `cluster`. */
  readonly topics: readonly KafkaTopic[]
  /** In words, what else of the operator's API there is: nothing becomes of it. */
  readonly leftOut: readonly string[]
}

/** Reads `path` as an API server would: defaults filled in, mistakes refused. Throws LocalError. Other kinds are left out. */
export function readManifests(path: string): Manifests {
  const all = filesOf(path).flatMap(documentsOf)
  const documents = all.filter(isOfGroup)
  const cluster = onlyCluster(path, documents)
  const leftOut = all.flatMap((document) => wordsForLeftOut(document) ?? [])
  return { cluster, topics: topicsOf(cluster, path, documents), leftOut }
}

/** Others have kinds of these names too. What has no API version is taken for ours, and refused. */
function isOfGroup({ apiVersion }: Document): boolean {
  return apiVersion === null || apiVersion.startsWith(`${GROUP}/`)
}

/** Null where it is not left out, or where nobody would expect anything of it. */
function wordsForLeftOut(document: Document): string | null {
  const { apiVersion, kind, metadata, file } = document
  if (KINDS.has(kind) === isOfGroup(document)) return null
  const group = isOfGroup(document) ? '' : ` of ${apiVersion}`
  return `${kind} ${metadata?.name ?? 'without a name'}${group} in ${file}`
}

function topicsOf(cluster: KafkaCluster, path: string, documents: readonly Document[]): KafkaTopic[] {
  const found = new Map<string, { topic: KafkaTopic; what: string }>()
  for (const document of documents.filter(({ kind }) => kind === 'KafkaTopic')) {
    const topic = accept<KafkaTopic>(document)
    const what = `KafkaTopic ${keyOf(topic)} in ${document.file}`
    if (clusterKeyOf(topic) !== keyOf(cluster)) {
      const why = `there is no KafkaCluster ${clusterKeyOf(topic)} in ${path}, only ${keyOf(cluster)}`
      throw new LocalError(`${what}: spec.cluster: ${why}; name that one, or take the topic out`)
    }
    const name = topicNameOf(topic)
    const other = found.get(name)
    if (other !== undefined) {
      throw new LocalError(`${what}: topic ${name} is that of ${other.what} too; rename one of them, or take it out`)
    }
    found.set(name, { topic, what })
  }
  return [...found.values()].map(({ topic }) => topic)
}

function onlyCluster(path: string, documents: readonly Document[]): KafkaCluster {
  const [document, ...others] = documents.filter(({ kind }) => kind === 'KafkaCluster')
  if (document === undefined) throw new LocalError(`${path} has no KafkaCluster of ${GROUP}`)
  if (others.length > 0) {
    const all = [document, ...others].map(
      ({ file, metadata }) => `${metadata?.name ?? 'one without a name'} in ${file}`,
    )
    throw new LocalError(
      `${path} has ${all.length} KafkaClusters (${all.join(', ')}), which would want the same ports: give each a file of its own, and start it with --port and --metrics-port of its own`,
    )
  }
  const cluster = accept<KafkaCluster>(document)
  const { spec } = cluster
  const what = `${document.file}: KafkaCluster ${keyOf(cluster)}`
  if (spec.distribution !== 'bundled') {
    const image = `spec.distribution ${spec.distribution} is a container image`
    throw new LocalError(`${what}: ${image}, which needs Kubernetes; only bundled runs on this machine`)
  }
  if (spec.listeners.some(({ tls }) => tls)) {
    const why = 'certificates are in Secrets, which need Kubernetes; use tls: false on this machine'
    throw new LocalError(`${what}: spec.listeners[].tls: ${why}`)
  }
  return cluster
}

interface Document {
  /** Null where it does not say. */
  readonly apiVersion: string | null
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
    if (content === null || typeof content.kind !== 'string') return []
    const apiVersion = typeof content.apiVersion === 'string' ? content.apiVersion : null
    return [{ apiVersion, kind: content.kind, metadata: content.metadata ?? {}, file, content }]
  })
}

/** An integer past 2^53, as Kafka's configs have them, is its text: as a number it would be another one. */
function exact(value: unknown): unknown {
  if (typeof value !== 'bigint') return value
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
}

function accept<T extends KafkaCluster | KafkaTopic>({ apiVersion, kind, metadata, file, content }: Document): T {
  const name = metadata?.name
  if (name === undefined || !/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(name)) {
    throw new LocalError(`${file}: ${kind}: metadata.name must be a lower-case DNS name`)
  }
  if (apiVersion !== KAFKA_CLUSTER.apiVersion) {
    const words = `apiVersion must be ${KAFKA_CLUSTER.apiVersion}, not ${apiVersion ?? 'nothing'}`
    throw new LocalError(`${file}: ${kind} ${name}: ${words}`)
  }
  const schema = schemaOf(kind)
  const specSchema = schema.properties?.spec ?? {}
  const refuse = (problems: readonly string[]): void => {
    if (problems.length > 0) throw new LocalError(`${file}: ${kind} ${name} is invalid:\n  ${problems.join('\n  ')}`)
  }
  refuse(problemsOf(specSchema, content.spec ?? null, 'spec'))
  const namespace = metadata?.namespace ?? NAMESPACE
  const resource = {
    ...content,
    metadata: { ...metadata, name, namespace },
    spec: withDefaults(specSchema, content.spec),
  }
  refuse(brokenRules(schema, resource))
  return resource as unknown as T
}

function schemaOf(kind: string): Schema {
  const crd = parse(readFileSync(join(CRDS, `${kind.toLowerCase()}.yaml`), 'utf8')) as Crd
  return crd.spec.versions[0]?.schema.openAPIV3Schema ?? {}
}

interface Crd {
  spec: { versions: { schema: { openAPIV3Schema: Schema } }[] }
}
