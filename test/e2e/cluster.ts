import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { jest } from '@jest/globals'
import { locked } from '../tools/cache.ts'
import { run, type RunOptions } from '../tools/run.ts'
import { contentHash } from './bed/images.ts'
import { type Access, access } from './bed/kubernetes.ts'
import { KUBE, ROOT } from './bed/layout.ts'
import { Client } from './pod-client.ts'

/** What helm names the release, and the namespace that the operator runs in. */
export const RELEASE = 'ottla'
export const OPERATOR_NAMESPACE = 'ottla-system'
/** Test files run side by side: one of them installs, the others wait. */
const LOCK = join(KUBE, 'operator.lock')
/** An annotation of the operator's pods that names all that it was installed from; without dots, which are syntax to helm and to JSONPath. */
const INSTALLED = 'installed'
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
 * Installs the chart as a user does; the operator looks after `namespaces`, or all where none is named. It stays for the files beside this one and
 * after it: an installation that is the same is not made twice.
 */
export async function installOperator(...namespaces: readonly string[]): Promise<void> {
  const { images } = kubernetes()
  const [repository = '', tag = ''] = images.ottla.split(':')
  const values = ['--set', `image.repository=${repository}`, '--set', `image.tag=${tag}`]
  if (namespaces.length > 0) values.push('--set', `watchNamespaces={${namespaces.join(',')}}`)
  const sources = contentHash([`${ROOT}/charts`, `${ROOT}/crds`], values)
  await locked(LOCK, async () => {
    if ((await ofDeployment(`{.spec.template.metadata.annotations.${INSTALLED}}`)) === sources) return
    if (namespaces.length > 0) await Namespace.released()
    const mark = `podAnnotations.${INSTALLED}=${sources}`
    await helm(
      'upgrade',
      '--install',
      '--create-namespace',
      ...values,
      '--set-string',
      mark,
      '--wait',
      '--timeout',
      '2m',
    )
    // Helm never changes CRDs that are there.
    await kubectl(['apply', '--server-side', '--force-conflicts', '-f', `${ROOT}/crds`])
  })
}

/** Has the operator take `image` for clusters of `version`, as this value of the chart does, until another one is installed. */
export async function useImage(key: 'images' | 'apacheImages', version: string, image: string): Promise<void> {
  const value = `${key}.${version.replace('.', '\\.')}=${image}`
  await locked(LOCK, () => helm('upgrade', '--reuse-values', '--set-string', value, '--wait'))
}

/** No operator is no error. */
export function uninstallOperator(): Promise<void> {
  return locked(LOCK, uninstall)
}

/** Has nobody look after namespaces that it was not told of: an operator of some stays. */
export async function uninstallOperatorOfAll(): Promise<void> {
  await locked(LOCK, async () => {
    const args = await ofDeployment('{.spec.template.spec.containers[0].args}')
    if (args !== '' && !args.includes('--namespaces=')) await uninstall()
  })
}

async function uninstall(): Promise<void> {
  await Namespace.released()
  await helm('uninstall', '--wait', '--ignore-not-found')
}

/** Starts the operator anew: it reads everything again. */
export async function restartOperator(): Promise<void> {
  const deployment = `deployment/${RELEASE}`
  await locked(LOCK, async () => {
    await kubectl(['--namespace', OPERATOR_NAMESPACE, 'rollout', 'restart', deployment])
    await kubectl(['--namespace', OPERATOR_NAMESPACE, 'rollout', 'status', deployment, WAIT])
  })
}

/** What a JSONPath says of the operator's Deployment; '' where there is none. */
function ofDeployment(path: string): Promise<string> {
  const deployment = ['get', 'deployment', RELEASE, '--ignore-not-found', '-o', `jsonpath=${path}`]
  return kubectl(['--namespace', OPERATOR_NAMESPACE, ...deployment])
}

async function helm(command: 'upgrade' | 'uninstall', ...options: readonly string[]): Promise<void> {
  const { helm: program, kubeconfig } = kubernetes()
  const what = command === 'upgrade' ? [RELEASE, 'charts/ottla'] : [RELEASE]
  const where = ['--kubeconfig', kubeconfig, '--namespace', OPERATOR_NAMESPACE]
  await run(program, [command, ...what, ...where, ...options], { cwd: ROOT, timeoutMs: 180_000 })
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
    const { kubectl: program, kubeconfig } = kubernetes()
    const command = ['exec', '--stdin', 'client', '--', 'node', 'client.ts', bootstrap]
    return new Client({
      start: () => spawn(program, ['--kubeconfig', kubeconfig, '--namespace', this.name, ...command]),
    })
  }

  /** Has it removed with everything in it, while the next file begins. */
  static async remove(name: string): Promise<void> {
    await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false'])
  }

  /** Resolves when nothing of what is on its way out needs an operator to go: only KafkaTopics do. */
  static async released(): Promise<void> {
    const path = 'jsonpath={range .items[?(@.metadata.deletionTimestamp)]}{.metadata.name} {end}'
    const names = (await kubectl(['get', 'namespaces', '-l', OURS, '-o', path]))
      .split(' ')
      .filter((name) => name !== '')
    const gone = (name: string) => kubectl(['wait', '--for=delete', 'kafkatopics', '--all', '--namespace', name, WAIT])
    await Promise.all(names.map(gone))
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
