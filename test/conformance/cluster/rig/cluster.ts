import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AdminClient } from '../../../../broker/client/admin-client.ts'
import type { Address } from '../../../../broker/env/network.ts'
import { nodeEnv } from '../../../../broker/host/env.ts'
import { CACHE } from '../../../tools/cache.ts'
import { clusterId, freePorts } from '../../../tools/node.ts'
import { ClusterNode } from './cluster-node.ts'
import { Namespaces } from './namespaces.ts'
import { type ClusterPlan, type Place, placeAt, placeOn, propertiesOf } from './plan.ts'

const HOST = '127.0.0.1'
const READY_MS_MAX = 90_000

/** Some nodes as processes of this machine, each formatted, started and ended on its own. */
export class TestCluster {
  readonly plan: ClusterPlan
  readonly #directory: string
  readonly #namespaces: Namespaces | undefined
  readonly #nodes: ReadonlyMap<number, ClusterNode>

  private constructor(plan: ClusterPlan, directory: string, namespaces: Namespaces | undefined, nodes: ClusterNode[]) {
    this.plan = plan
    this.#directory = directory
    this.#namespaces = namespaces
    this.#nodes = new Map(nodes.map((node) => [node.id, node]))
  }

  /** Formats and starts every node; resolves when all brokers are registered and unfenced. */
  static async start(plan: ClusterPlan): Promise<TestCluster> {
    const cluster = await TestCluster.prepare(plan)
    try {
      await Promise.all(cluster.nodes.map((node) => node.start()))
      await cluster.ready()
      return cluster
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Formats every node and starts none. */
  static async prepare(plan: ClusterPlan): Promise<TestCluster> {
    const directory = mkdtempSync(join(tmpdir(), 'cluster-'))
    const namespaces = plan.isolated === true ? new Namespaces(plan.nodes.map(({ id }) => id)) : undefined
    const places = await placesOf(plan, namespaces)
    const nodes = plan.nodes.map((node) => {
      const home = join(directory, String(node.id))
      const logDir = plan.dataDirectoryOf?.(node.id) ?? join(home, 'data')
      mkdirSync(home)
      mkdirSync(logDir, { recursive: true })
      writeFileSync(join(home, 'server.properties'), propertiesOf(plan, node, places, logDir))
      const place = places.get(node.id) ?? {}
      return new ClusterNode({ plan: node, place, home, logDir, jvm: plan.jvm }, namespaces)
    })
    const cluster = new TestCluster(plan, directory, namespaces, nodes)
    await cluster.#format()
    return cluster
  }

  get nodes(): readonly ClusterNode[] {
    return [...this.#nodes.values()]
  }

  get brokers(): readonly ClusterNode[] {
    return this.nodes.filter(({ plan }) => plan.roles.includes('broker'))
  }

  get controllers(): readonly ClusterNode[] {
    return this.nodes.filter(({ plan }) => plan.roles.includes('controller'))
  }

  get brokerAddresses(): readonly Address[] {
    return this.brokers.flatMap(({ place }) => place.broker ?? [])
  }

  /** `host:port,…` of every broker. */
  get bootstrap(): string {
    return this.brokerAddresses.map(({ host, port }) => `${host}:${port}`).join(',')
  }

  /** `host:port,…` of every controller. */
  get controllerBootstrap(): string {
    return this.controllers
      .flatMap(({ place }) => place.controller ?? [])
      .map(({ host, port }) => `${host}:${port}`)
      .join(',')
  }

  /** Throws for a cluster that is not `isolated`. */
  get namespaces(): Namespaces {
    if (this.#namespaces === undefined) throw new Error('the nodes of this cluster share one network')
    return this.#namespaces
  }

  node(id: number): ClusterNode {
    const node = this.#nodes.get(id)
    if (node === undefined) throw new Error(`no node ${id}`)
    return node
  }

  admin(timeoutMs = 30_000, bootstrap = this.brokerAddresses): AdminClient {
    return new AdminClient({ bootstrap, requestTimeoutMs: 5000, timeoutMs }, nodeEnv())
  }

  /** Resolves when every running broker is registered and unfenced, and there is a controller. */
  async ready(msMax = READY_MS_MAX): Promise<void> {
    const wanted = this.brokers.filter(({ isRunning }) => isRunning).map(({ id }) => id)
    await using admin = this.admin(msMax)
    const deadline = performance.now() + msMax
    for (;;) {
      const seen = await admin.describeCluster().catch(() => undefined)
      const ids = new Set(seen?.brokers.map(({ id }) => id))
      if (seen !== undefined && seen.controllerId >= 0 && wanted.every((id) => ids.has(id))) return
      if (performance.now() > deadline)
        throw new Error(`after ${msMax} ms brokers ${[...ids].join()} are there, not ${wanted.join()}`)
      await sleep(50)
    }
  }

  /** Ends every process, keeps what they said under .cache/cluster, and removes the data. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#namespaces?.heal()
    await Promise.all(this.nodes.map((node) => node.kill()))
    this.#namespaces?.remove()
    const kept = join(CACHE, 'cluster', this.plan.name)
    rmSync(kept, { recursive: true, force: true })
    mkdirSync(kept, { recursive: true })
    for (const node of this.nodes) {
      if (existsSync(node.outputFile)) cpSync(node.outputFile, join(kept, `${node.id}.log`))
    }
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #format(): Promise<void> {
    const cluster = clusterId()
    const directories = this.controllers.map((node) => ({ node, directoryId: uuid() }))
    const voters = directories.map(({ node, directoryId }) => {
      const { host, port } = node.place.controller ?? { host: HOST, port: 0 }
      return `${node.id}@${host}:${port}:${directoryId}`
    })
    const quorumOf = (node: ClusterNode): string[] => {
      if (this.plan.quorum === 'static') return []
      return node.plan.roles.includes('controller')
        ? ['--initial-controllers', voters.join(',')]
        : ['--no-initial-controllers']
    }
    // One after the other by kind: a JVM each would not fit the machine.
    for (const node of this.nodes) await node.format(cluster, quorumOf(node))
  }
}

async function placesOf(plan: ClusterPlan, namespaces: Namespaces | undefined): Promise<ReadonlyMap<number, Place>> {
  if (namespaces !== undefined)
    return new Map(plan.nodes.map((node) => [node.id, placeOn(namespaces.hostOf(node.id), node)]))
  const ports = await freePorts(2 * plan.nodes.length)
  return new Map(
    plan.nodes.map(({ id, roles }, index) => [
      id,
      placeAt(HOST, roles, ports[2 * index] ?? 0, ports[2 * index + 1] ?? 0),
    ]),
  )
}

/** A directory id; the leading character is a letter: 'A' to begin with would be reserved, '-' an option. */
function uuid(): string {
  return `Q${randomBytes(16).toString('base64url').slice(1)}`
}
