import { jest } from '@jest/globals'
import { run, type RunOptions } from '../tools/run.ts'
import { type Access, access } from './bed/kubernetes.ts'
import { ROOT } from './bed/layout.ts'

/** What helm names the release, and the namespace that the operator runs in. */
const RELEASE = 'ottla'
const OPERATOR_NAMESPACE = 'ottla-system'
/** Longer than anything takes on a busy machine of two cores. */
const WAIT = '--timeout=170s'
/** What is shown of the operator's log where something did not come. */
const LOG_LINES = 60
/** On every namespace of these tests. */
const OURS = 'ottla.test/e2e'

// Whatever a test waits for has a deadline of its own, and says what it was: Jest's would only say that the test took too long.
jest.setTimeout(900_000)

/** The Kubernetes that is up. */
function kubernetes(): Access {
  const found = access()
  if (found === null) throw new Error('no Kubernetes is up')
  return found
}

/** Runs kubectl; resolves with its output, rejects with what it complained about. */
export async function kubectl(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { kubectl: program, kubeconfig } = kubernetes()
  const { stdout } = await run(program, ['--kubeconfig', kubeconfig, ...args], { timeoutMs: 200_000, ...options })
  return stdout
}

/**
 * Installs the chart as a user does; the operator looks after `namespaces`, or all where none is named. It stays for the next file: an
 * installation that is the same as the last one costs little. Namespaces that are on their way out need the operator that looks after all.
 */
export async function installOperator(...namespaces: readonly string[]): Promise<void> {
  const { helm, kubeconfig, images } = kubernetes()
  const [repository = '', tag = ''] = images.ottla.split(':')
  const image = ['--set', `image.repository=${repository}`, '--set', `image.tag=${tag}`]
  const where = ['--kubeconfig', kubeconfig, '--namespace', OPERATOR_NAMESPACE, '--create-namespace']
  const args = ['upgrade', '--install', RELEASE, 'charts/ottla', ...where, ...image, '--wait', '--timeout', '2m']
  if (namespaces.length > 0) {
    args.push('--set', `watchNamespaces={${namespaces.join(',')}}`)
    await Namespace.removed()
  }
  await run(helm, args, { cwd: ROOT, timeoutMs: 180_000 })
  // Helm never changes CRDs that are there.
  await kubectl(['apply', '--server-side', '--force-conflicts', '-f', `${ROOT}/crds`])
}

/** Has the operator take `image` for clusters of `version`, as this value of the chart does, until it is installed again. */
export async function useImage(key: 'images' | 'apacheImages', version: string, image: string): Promise<void> {
  const { helm, kubeconfig } = kubernetes()
  const where = ['--kubeconfig', kubeconfig, '--namespace', OPERATOR_NAMESPACE, '--reuse-values']
  const value = `${key}.${version.replace('.', '\\.')}=${image}`
  await run(helm, ['upgrade', RELEASE, 'charts/ottla', ...where, '--set-string', value, '--wait'], { cwd: ROOT })
}

/** No operator is no error. */
export async function uninstallOperator(): Promise<void> {
  await Namespace.removed()
  const { helm, kubeconfig } = kubernetes()
  const where = ['--kubeconfig', kubeconfig, '--namespace', OPERATOR_NAMESPACE]
  await run(helm, ['uninstall', RELEASE, ...where, '--wait', '--ignore-not-found'])
}

/** Starts the operator anew: it reads everything again. */
export async function restartOperator(): Promise<void> {
  const deployment = `deployment/${RELEASE}`
  await kubectl(['--namespace', OPERATOR_NAMESPACE, 'rollout', 'restart', deployment])
  await kubectl(['--namespace', OPERATOR_NAMESPACE, 'rollout', 'status', deployment, WAIT])
}

/** An object of the Kubernetes API, as far as tests look at it. */
export interface KubeObject {
  readonly metadata: { readonly name: string; readonly uid: string; readonly labels?: Record<string, string> }
  readonly spec: Record<string, unknown>
  readonly status: Record<string, unknown> & { readonly conditions?: readonly Condition[] }
}

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

/** A namespace for one test file, with pods held to the restricted Pod Security Standard. */
export class Namespace {
  readonly name: string

  private constructor(name: string) {
    this.name = name
  }

  /** Removes what an earlier run may have left, and begins with nothing. */
  static async create(name: string): Promise<Namespace> {
    await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait'])
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted', [OURS]: 'true' }
    const manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }
    await kubectl(['create', '-f', '-'], { input: JSON.stringify(manifest) })
    return new Namespace(name)
  }

  kubectl(...args: string[]): Promise<string> {
    return kubectl(['--namespace', this.name, ...args])
  }

  /** Applies manifests as a user does. */
  apply(...manifests: readonly object[]): Promise<string> {
    const list = { apiVersion: 'v1', kind: 'List', items: manifests }
    return kubectl(['--namespace', this.name, 'apply', '-f', '-'], { input: JSON.stringify(list) })
  }

  async get(kind: string, name: string): Promise<KubeObject> {
    return JSON.parse(await this.kubectl('get', kind, name, '-o', 'json')) as KubeObject
  }

  /** `kind/name` of everything there is of `kinds`. */
  async list(kinds: string): Promise<string[]> {
    const names = await this.kubectl('get', kinds, '-o', 'name')
    return names.split('\n').filter((line) => line !== '')
  }

  ready(...resources: readonly string[]): Promise<string> {
    return this.wait('--for=condition=Ready', ...resources)
  }

  /** Waits until a JSONPath has a value: `{.status.partitions}`. */
  has(resource: string, path: string, value: string): Promise<string> {
    return this.wait(`--for=jsonpath=${path}=${value}`, resource)
  }

  /** `kubectl wait`; where it was in vain, with how things are. */
  async wait(...args: readonly string[]): Promise<string> {
    try {
      return await this.kubectl('wait', WAIT, ...args)
    } catch (error) {
      throw new Error(`kubectl wait ${args.join(' ')}\n${await circumstances(this.name)}`, { cause: error })
    }
  }

  /** Waits until the operator has seen the spec as it is and says `reason` of it. */
  async says(resource: string, reason: string): Promise<string> {
    await this.has(resource, '{.status.conditions[?(@.type=="Ready")].reason}', reason)
    return this.kubectl('get', resource, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].message}')
  }

  /** Waits until the operator has done what the spec says now. */
  async settled(resource: string): Promise<void> {
    const generation = await this.kubectl('get', resource, '-o', 'jsonpath={.metadata.generation}')
    await this.has(resource, '{.status.observedGeneration}', generation)
    await this.ready(resource)
  }

  async delete(...resources: readonly string[]): Promise<void> {
    await this.kubectl('delete', ...resources, '--wait', WAIT)
  }

  /** A pod with a Kafka client of somebody else's. */
  async client(bootstrap: string): Promise<Client> {
    await this.apply(clientPod(kubernetes().images.client))
    await this.ready('pod/client')
    return new Client(this, bootstrap)
  }

  /** Has it removed with everything in it, while the next file begins. */
  static async remove(name: string): Promise<void> {
    await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false'])
  }

  /** Resolves when nothing is left of what is on its way out. */
  static async removed(): Promise<void> {
    const path = 'jsonpath={range .items[?(@.metadata.deletionTimestamp)]}{.metadata.name} {end}'
    const names = (await kubectl(['get', 'namespaces', '-l', OURS, '-o', path]))
      .split(' ')
      .filter((name) => name !== '')
    if (names.length > 0) await kubectl(['wait', '--for=delete', ...names.map((name) => `namespace/${name}`), WAIT])
  }
}

/** What is there, what the operator says of it, and what it did last. */
async function circumstances(namespace: string): Promise<string> {
  const line = '{range .items[*]}{.kind}/{.metadata.name} {.status}{"\\n"}{end}'
  const kinds = 'kafkaclusters,kafkatopics,kafkarebalances'
  const asked = [
    ['--namespace', namespace, 'get', kinds, '-o', `jsonpath=${line}`],
    ['--namespace', namespace, 'get', 'pods', '-o', 'wide'],
    ['--namespace', OPERATOR_NAMESPACE, 'logs', `deployment/${RELEASE}`, `--tail=${LOG_LINES}`],
  ]
  const told = await Promise.allSettled(asked.map((args) => kubectl(args)))
  return told.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason))).join('\n')
}

export interface TopicDescription {
  readonly partitions: number
  readonly config: Readonly<Record<string, string>>
}

/** kafkajs in a pod; see client/client.ts for what it does. */
export class Client {
  readonly #namespace: Namespace
  readonly #bootstrap: string

  constructor(namespace: Namespace, bootstrap: string) {
    this.#namespace = namespace
    this.#bootstrap = bootstrap
  }

  produce(topic: string, count: number): Promise<{ written: number }> {
    return this.#run('produce', topic, String(count))
  }

  /** The values of `count` records from the beginning, by partition. */
  consume(topic: string, count: number): Promise<Record<string, string[]>> {
    return this.#run('consume', topic, String(count))
  }

  /** Null where there is no such topic. */
  describe(topic: string): Promise<TopicDescription | null> {
    return this.#run('describe', topic)
  }

  /** Node ids, by partition. */
  replicas(topic: string): Promise<number[][]> {
    return this.#run('replicas', topic)
  }

  create(topic: string, description: TopicDescription): Promise<boolean> {
    return this.#run('create', topic, JSON.stringify(description))
  }

  configure(topic: string, config: Record<string, string>): Promise<boolean> {
    return this.#run('configure', topic, JSON.stringify(config))
  }

  async #run<T>(...args: string[]): Promise<T> {
    const command = ['exec', 'client', '--', 'node', 'client.ts', this.#bootstrap, ...args]
    return JSON.parse(await this.#namespace.kubectl(...command)) as T
  }
}

/** The security context of a container that the restricted Pod Security Standard admits. */
export const RESTRICTED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}

function clientPod(image: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'client' },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'client', image, imagePullPolicy: 'IfNotPresent', securityContext: RESTRICTED }],
    },
  }
}
