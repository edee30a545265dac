import type { ChildProcess } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { closeSync, copyFileSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { credentialsOf } from '../../operator/kube/credentials.ts'
import { KubeTransport } from '../../operator/kube/transport.ts'
import { type Flags, flagList } from '../e2e/bed/daemon.ts'
import { program } from '../e2e/bed/layout.ts'
import { CACHE } from '../tools/cache.ts'
import { freePorts } from '../tools/node.ts'
import { endChild, hasEnded, type Lacking, startChild, until } from './rig.ts'

const HOST = '127.0.0.1'
/** What the programs of the last run said. */
const LOGS = join(CACHE, 'scale')
/** As in other Kubernetes: who somebody is decides how many of his requests are served at a time (flow control). */
const USERS = {
  administrator: ['administrator', 'system:masters'],
  controllers: ['system:kube-controller-manager', ''],
  scheduler: ['system:kube-scheduler', ''],
  operator: ['system:serviceaccount:ottla:ottla-operator', 'system:serviceaccounts'],
} as const

type User = keyof typeof USERS

/**
 * A Kubernetes without nodes, of the bed's programs and beside a bed that is up: etcd, API server, controllers and scheduler on loopback, with state of
 * their own that is gone at the end.
 */
export class ControlPlane implements AsyncDisposable {
  readonly url: string
  readonly #etcdPorts: readonly [number, number]
  readonly #state = mkdtempSync(join(tmpdir(), 'ottla-scale-'))
  readonly #programs = new Map<string, ChildProcess>()

  private constructor([etcd = 0, peer = 0, api = 0]: readonly number[]) {
    this.url = `https://${HOST}:${api}`
    this.#etcdPorts = [etcd, peer]
  }

  static async start(): Promise<ControlPlane> {
    const started = new ControlPlane(await freePorts(3))
    try {
      await started.#start()
      return started
    } catch (error) {
      await started[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Starts a program that ends with the control plane. What it says is in `.cache/scale/NAME.log`. */
  run(name: string, command: string, args: readonly string[]): void {
    mkdirSync(LOGS, { recursive: true })
    const log = openSync(logOf(name), 'w')
    // Programs look for configurations in the user's home directory.
    const child = startChild(command, args, { stdio: ['ignore', log, log], env: { HOME: this.#state } })
    closeSync(log)
    child.once('error', (error) => writeFileSync(logOf(name), error.message))
    this.#programs.set(name, child)
  }

  /** As `until`, and rejects where a program of the control plane has ended. */
  async until(what: string, lacking: Lacking): Promise<void> {
    await until(what, () => {
      const dead = [...this.#programs].find(([, child]) => hasEnded(child))
      if (dead !== undefined) throw new Error(`${dead[0]} ended: ${readFileSync(logOf(dead[0]), 'utf8').slice(-3000)}`)
      return lacking()
    })
  }

  kubeconfig(user: User): string {
    const cluster = { server: this.url, 'certificate-authority': join(this.account(user), 'ca.crt') }
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'scale', cluster }],
      users: [{ name: user, user: { token: user } }],
      contexts: [{ name: 'scale', context: { cluster: 'scale', user } }],
      'current-context': 'scale',
    }
    const file = join(this.account(user), 'kubeconfig')
    writeFileSync(file, JSON.stringify(config))
    return file
  }

  /** A directory as Kubernetes gives it to the pods of a service account. */
  account(user: User): string {
    return join(this.#state, user)
  }

  async transport(user: User): Promise<KubeTransport> {
    const { hostname, port } = new URL(this.url)
    const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port }
    return new KubeTransport(await credentialsOf(env, this.account(user)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing that they would save is wanted.
    await Promise.all([...this.#programs.values()].map((child) => endChild(child, 'SIGKILL')))
    rmSync(this.#state, { recursive: true, force: true })
  }

  async #start(): Promise<void> {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    writeFileSync(this.#file('account.key'), privateKey.export({ type: 'pkcs1', format: 'pem' }))
    const users = Object.entries(USERS).map(([token, [name, group]]) => `${token},${name},${token},"${group}"\n`)
    writeFileSync(this.#file('users.csv'), users.join(''))
    this.#startEtcd()
    this.#startApiServer()
    await this.until('the API server', () => this.#apiTrouble())
    this.#startClient('kube-controller-manager', 'controllers')
    this.#startClient('kube-scheduler', 'scheduler')
  }

  #startEtcd(): void {
    const [client, peer] = this.#etcdPorts.map((port) => `http://${HOST}:${port}`)
    this.#startProgram('etcd', {
      name: 'scale',
      'data-dir': this.#file('etcd'),
      'log-level': 'warn',
      'unsafe-no-fsync': true,
      'listen-client-urls': `${client}`,
      'advertise-client-urls': `${client}`,
      'listen-peer-urls': `${peer}`,
      'initial-advertise-peer-urls': `${peer}`,
      'initial-cluster': `scale=${peer}`,
    })
  }

  #startApiServer(): void {
    this.#startProgram('kube-apiserver', {
      'etcd-servers': `http://${HOST}:${this.#etcdPorts[0]}`,
      'bind-address': HOST,
      'advertise-address': HOST,
      // A loopback address may not be an endpoint of the Service kubernetes.
      'endpoint-reconciler-type': 'none',
      'secure-port': new URL(this.url).port,
      'cert-dir': this.#file('certificates'),
      'service-cluster-ip-range': '10.0.0.0/16',
      'authorization-mode': 'AlwaysAllow',
      'token-auth-file': this.#file('users.csv'),
      'service-account-issuer': 'https://kubernetes.default.svc',
      'service-account-key-file': this.#file('account.key'),
      'service-account-signing-key-file': this.#file('account.key'),
      profiling: false,
    })
  }

  /** Why it does not serve yet, or null. */
  async #apiTrouble(): Promise<string | null> {
    try {
      for (const user of Object.keys(USERS) as User[]) {
        mkdirSync(this.account(user), { recursive: true })
        writeFileSync(join(this.account(user), 'token'), user)
        copyFileSync(this.#file('certificates/apiserver.crt'), join(this.account(user), 'ca.crt'))
      }
      const { signal } = new AbortController()
      const transport = await this.transport('administrator')
      await transport.send({ method: 'GET', path: '/readyz', signal, timeoutMs: 5000 })
      return null
    } catch (error) {
      return (error as Error).message
    }
  }

  #startClient(name: string, user: User): void {
    this.#startProgram(name, { kubeconfig: this.kubeconfig(user), 'leader-elect': false, 'secure-port': 0 })
  }

  #startProgram(name: string, flags: Flags): void {
    this.run(name, program(name), flagList(flags))
  }

  #file(name: string): string {
    return join(this.#state, name)
  }
}

function logOf(name: string): string {
  return join(LOGS, `${name}.log`)
}
