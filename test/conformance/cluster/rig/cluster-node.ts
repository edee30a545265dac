import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { apache } from '../../../tools/apache.ts'
import type { Command } from '../../../tools/bound-process.ts'
import { type Distribution, type Format, formatted } from '../../../tools/node.ts'
import { OURS } from '../../../tools/ours.ts'
import { ServerProcess } from '../../../tools/server-process.ts'
import type { Namespaces } from './namespaces.ts'
import type { Kind, NodePlan, Place } from './plan.ts'

/** Small: several of them share the machine. */
const CLUSTER_JVM: readonly string[] = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
const START_MS_MAX = 60_000

export interface ClusterNodeOptions {
  readonly plan: NodePlan
  readonly place: Place
  /** Its configuration and output. */
  readonly home: string
  /** Its one log directory. */
  readonly logDir: string
  /** Flags of Apache Kafka's JVM. */
  readonly jvm?: readonly string[] | undefined
}

/** One node of a cluster, at most one process at a time, which may be of either kind. */
export class ClusterNode {
  readonly plan: NodePlan
  readonly place: Place
  readonly logDir: string
  readonly #home: string
  readonly #namespaces: Namespaces | undefined
  readonly #distributions: Readonly<Record<Kind, Distribution>>
  /** What is left for the first start to do. */
  #format: Format | undefined
  #server: ServerProcess | undefined
  #kind: Kind

  constructor(
    { plan, place, home, logDir, jvm = CLUSTER_JVM }: ClusterNodeOptions,
    namespaces: Namespaces | undefined,
  ) {
    this.plan = plan
    this.place = place
    this.logDir = logDir
    this.#home = home
    this.#namespaces = namespaces
    this.#distributions = { ours: OURS, apache: apache(jvm) }
    this.#kind = plan.kind
    closeSync(openSync(this.outputFile, 'a'))
  }

  get id(): number {
    return this.plan.id
  }

  /** Of the process that runs, or that ran last. */
  get kind(): Kind {
    return this.#kind
  }

  get isRunning(): boolean {
    return this.#server?.isRunning ?? false
  }

  get pid(): number {
    return this.#server?.pid ?? -1
  }

  /** When its process was started, as `performance.now()`. */
  get spawnedMs(): number {
    return this.#server?.spawnedMs ?? Number.NaN
  }

  get outputFile(): string {
    return join(this.#home, 'output.log')
  }

  get propertiesFile(): string {
    return join(this.#home, 'server.properties')
  }

  /** `quorum`: in the words of kafka-storage. */
  async format(clusterId: string, quorum: readonly string[]): Promise<void> {
    this.#format = await formatted(this.#distributions[this.#kind], this.propertiesFile, { clusterId, quorum })
  }

  /** Resolves when every listener accepts; the node may not be registered yet. */
  async start(kind: Kind = this.#kind): Promise<void> {
    if (this.isRunning) throw new Error(`node ${this.id} runs`)
    this.#kind = kind
    const server = await this.#serve()
    for (const address of [this.place.controller, this.place.broker]) {
      if (address !== undefined) await server.accepting(address.host, address.port, START_MS_MAX)
    }
  }

  /** As `start`, and does not wait. */
  async spawn(): Promise<void> {
    await this.#serve()
  }

  /** SIGTERM: a controlled shutdown. */
  async stop(msMax?: number): Promise<void> {
    await this.#server?.end('SIGTERM', msMax)
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#server?.end('SIGKILL')
  }

  /** Stops the process where it is; its connections stay. */
  pause(): void {
    this.#server?.signal('SIGSTOP')
  }

  resume(): void {
    this.#server?.signal('SIGCONT')
  }

  async #serve(): Promise<ServerProcess> {
    const command = await this.#distributions[this.#kind].serve(this.propertiesFile, this.#format)
    this.#format = undefined
    this.#server = new ServerProcess(`${this.#kind} node ${this.id}`, this.#placed(command), this.outputFile)
    return this.#server
  }

  #placed(command: Command): Command {
    return this.#namespaces?.inside(this.id, command) ?? command
  }
}
