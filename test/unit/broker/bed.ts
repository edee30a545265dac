import { Broker } from '../../../broker/broker.ts'
import { KafkaError } from '../../../broker/client/kafka-error.ts'
import { Peer } from '../../../broker/client/peer.ts'
import { parseServerConfig } from '../../../broker/config/server-config.ts'
import type { ApiKey } from '../../../broker/protocol/api-key.ts'
import type { RequestInputOf, ResponseOf } from '../../../broker/protocol/apis.ts'
import { writeMetaProperties } from '../../../broker/storage/meta-properties.ts'
import { type SimMachine, SimWorld } from '../../fakes/env.ts'
import { MemoryLogger } from '../../fakes/logger.ts'

const CLIENT_PORT = 9092
const CONTROLLER_PORT = 9093
const DISK = '/data'

export interface TestNode {
  readonly id: number
  readonly machine: SimMachine
  readonly logger: MemoryLogger
  readonly roles: readonly string[]
  broker: Broker | undefined
}

/** Nodes of one cluster in a simulated world, each on the machine `node-<id>`: controllers are the voters. */
export class TestCluster {
  readonly world: SimWorld
  readonly nodes: readonly TestNode[]
  readonly #properties: ReadonlyMap<string, string>
  readonly #client: SimMachine

  constructor(roles: readonly string[], properties: Readonly<Record<string, string>> = {}, seed = 1) {
    this.world = new SimWorld({ seed })
    this.#properties = new Map(Object.entries(properties))
    this.#client = this.world.machine('client')
    this.#client.start()
    this.nodes = roles.map((role, index) => {
      const id = index + 1
      const machine = this.world.machine(`node-${id}`)
      machine.disk.makeDirectory(DISK)
      const directoryId = Buffer.from(`directory-${id}-abcd`.padEnd(16, '0').slice(0, 16)).toString('base64url')
      writeMetaProperties(machine.disk, DISK, { clusterId: 'test', nodeId: id, directoryId })
      machine.disk.syncDirectory('/')
      return { id, machine, logger: new MemoryLogger(), roles: role.split(','), broker: undefined }
    })
  }

  #config(node: TestNode) {
    const voters = this.nodes.filter(({ roles }) => roles.includes('controller'))
    const listeners = [
      ...(node.roles.includes('broker') ? [`PLAINTEXT://:${CLIENT_PORT}`] : []),
      ...(node.roles.includes('controller') ? [`CONTROLLER://:${CONTROLLER_PORT}`] : []),
    ]
    const properties = new Map([
      ['process.roles', node.roles.join(',')],
      ['node.id', String(node.id)],
      ['controller.quorum.voters', voters.map(({ id }) => `${id}@node-${id}:${CONTROLLER_PORT}`).join(',')],
      ['controller.listener.names', 'CONTROLLER'],
      ['listener.security.protocol.map', 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT'],
      ['listeners', listeners.join(',')],
      ['log.dirs', DISK],
      ...this.#properties,
    ])
    return parseServerConfig(properties).config
  }

  /** Resolves when all nodes do what they are for. */
  async start(nodes: readonly TestNode[] = this.nodes): Promise<void> {
    const started = nodes.map(async (node) => {
      const deps = { env: node.machine.start(), logger: node.logger, withProcessMetrics: false, idleRatio: () => 1 }
      node.broker = await Broker.start({ config: this.#config(node), hostName: `node-${node.id}` }, deps)
    })
    await this.world.clock.runFor(Promise.all(started), 60_000)
  }

  async stop(): Promise<void> {
    const running = this.nodes.filter(({ machine }) => machine.isRunning)
    const stopped = running.map(async ({ broker }) => broker?.[Symbol.asyncDispose]())
    await this.world.clock.runFor(Promise.all(stopped), 60_000)
  }

  /** One request to a node; undefined where there is no answer. */
  async ask<K extends ApiKey>(
    node: TestNode | undefined,
    key: K,
    body: RequestInputOf<K>,
    port = CLIENT_PORT,
  ): Promise<ResponseOf<K> | undefined> {
    const { network, clock } = this.#client.start()
    const address = { host: `node-${node?.id}`, port }
    const timeouts = { connectTimeoutMs: 1000, requestTimeoutMs: 40_000 }
    const peer = new Peer({ address, clientId: 'test', ...timeouts }, { network, clock })
    try {
      return await this.world.clock.runFor(peer.request(key, body), 60_000)
    } catch (error) {
      if (error instanceof KafkaError) return undefined
      throw error
    } finally {
      peer.close()
    }
  }

  /** Asks every 50 ms, of any node that runs, until the answer is `wanted`; gives how long that took, ms. */
  async until<K extends ApiKey>(
    key: K,
    body: () => RequestInputOf<K>,
    wanted: (answer: ResponseOf<K>) => boolean,
  ): Promise<number> {
    const beganMs = this.world.clock.monotonicMs()
    for (let round = 0; this.world.clock.monotonicMs() - beganMs < 60_000; round++) {
      const running = this.nodes.filter(({ machine, roles }) => machine.isRunning && roles.includes('broker'))
      const answer = await this.ask(running[round % running.length], key, body())
      if (answer !== undefined && wanted(answer)) return this.world.clock.monotonicMs() - beganMs
      await this.world.clock.run(50)
    }
    throw new Error('what is waited for does not come')
  }
}
