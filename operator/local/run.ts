import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Clock } from '../../broker/env/clock.ts'
import type { Address, Network } from '../../broker/env/network.ts'
import type { Random } from '../../broker/env/random.ts'
import { clusterKeyOf, keyOf } from '../api/resource.ts'
import type { KafkaCluster, KafkaTopic } from '../api/resource.ts'
import { newClusterId } from '../specs/cluster-id.ts'
import { INTERNAL_LISTENER } from '../specs/nodes.ts'
import { BrokerProcess, prepareNode } from './broker-process.ts'
import { localNode } from './layout.ts'
import type { LocalNode } from './layout.ts'
import { LocalError } from './local-error.ts'
import { readManifests } from './manifests.ts'

export interface LocalOptions {
  /** A YAML file, or a directory of them. */
  readonly file: string
  readonly data: string
  readonly port: number | null
  readonly metricsPort: number | null
}

export interface LocalDeps {
  readonly clock: Clock
  readonly random: Random
  readonly network: Network
  readonly print: (line: string) => void
  /** Whether the brokers at `address` answer. */
  readonly answers: (cluster: KafkaCluster, address: Address) => Promise<boolean>
  /** Brings a topic to its spec; returns what was done. Rejects with the broker's refusal. */
  readonly converge: (cluster: KafkaCluster, address: Address, topic: KafkaTopic) => Promise<readonly string[]>
}

const HOST = '127.0.0.1'
const POLL_MS = 50
/** Recovery of a large log takes long; a broker that fails ends, and is noticed. */
const READY_TIMEOUT_MS = 10 * 60_000

/** Runs what the manifests ask for on this machine until `signal` aborts. Rejects with LocalError for what the user can put right. */
export async function runLocal(options: LocalOptions, deps: LocalDeps, signal: AbortSignal): Promise<void> {
  const { clusters, topics } = readManifests(options.file)
  const running: BrokerProcess[] = []
  try {
    for (const cluster of clusters) {
      const ofCluster = topics.filter((topic) => clusterKeyOf(topic) === keyOf(cluster))
      running.push(await start(cluster, ofCluster, options, deps, signal))
    }
    const ended = await Promise.race([aborted(signal), ...running.map((broker) => broker.ended)])
    if (!signal.aborted) throw new LocalError(`a broker has ended by itself: ${ended}`)
  } finally {
    if (signal.aborted) deps.print('stopping ...')
    await Promise.all(running.map((broker) => broker.stop()))
  }
  deps.print('stopped')
}

async function start(
  cluster: KafkaCluster,
  topics: readonly KafkaTopic[],
  options: LocalOptions,
  deps: LocalDeps,
  signal: AbortSignal,
): Promise<BrokerProcess> {
  const dataRoot = resolve(options.data)
  const node = localNode(cluster, { dataRoot, port: options.port, metricsPort: options.metricsPort })
  await checkPorts(cluster, node, deps.network)
  const isNew = !existsSync(node.directory)
  await prepareNode(node, clusterIdAt(join(dirname(node.directory), 'cluster-id'), deps.random))
  const broker = new BrokerProcess(node)
  try {
    const address = { host: HOST, port: node.ports.get(INTERNAL_LISTENER) ?? 0 }
    await untilReady(cluster, address, broker, deps, signal)
    for (const topic of topics) {
      if (signal.aborted) break
      for (const line of await deps.converge(cluster, address, topic)) deps.print(line)
    }
    introduce(cluster, topics, node, isNew, deps)
    return broker
  } catch (error) {
    await broker.stop()
    throw error
  }
}

async function checkPorts(cluster: KafkaCluster, node: LocalNode, network: Network): Promise<void> {
  for (const [name, port] of node.ports) {
    try {
      const listener = await network.listen({ host: HOST, port }, (connection) => connection.destroy())
      await listener.close()
    } catch (error) {
      const what = `port ${port} (${name} of KafkaCluster ${cluster.metadata.name}) on ${HOST}`
      const advice = 'stop what uses it, or choose others with --port and --metrics-port'
      throw new LocalError(
        `${what} cannot be used: ${error instanceof Error ? error.message : String(error)}; ${advice}`,
      )
    }
  }
}

/** The id of the cluster whose data is here; a new one is written down before anything is made of it. */
function clusterIdAt(file: string, random: Random): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  mkdirSync(dirname(file), { recursive: true })
  const id = newClusterId(random)
  writeFileSync(file, `${id}\n`)
  return id
}

async function untilReady(
  cluster: KafkaCluster,
  address: Address,
  broker: BrokerProcess,
  deps: LocalDeps,
  signal: AbortSignal,
): Promise<void> {
  let ended: string | null = null
  void broker.ended.then((how) => (ended = how))
  const deadlineMs = deps.clock.monotonicMs() + READY_TIMEOUT_MS
  while (!signal.aborted) {
    if (ended !== null) throw new LocalError(`the broker did not start: ${String(ended)}\n${broker.tail()}`)
    if (deps.clock.monotonicMs() > deadlineMs) throw new LocalError(`the broker is not ready yet:\n${broker.tail()}`)
    if (await deps.answers(cluster, address)) return
    await new Promise<void>((wake) => setTimeout(wake, POLL_MS))
  }
}

function introduce(
  cluster: KafkaCluster,
  topics: readonly KafkaTopic[],
  node: LocalNode,
  isNew: boolean,
  { print }: LocalDeps,
): void {
  const listener = cluster.spec.listeners[0]?.name ?? ''
  const bootstrap = `${HOST}:${node.ports.get(listener) ?? 0}`
  const topic = topics[0]?.spec.topicName ?? topics[0]?.metadata.name ?? 'test'
  print('')
  print(`KafkaCluster ${cluster.metadata.name} is ready (${isNew ? 'new' : 'data found'} in ${node.directory})`)
  print(`  bootstrap  ${bootstrap}`)
  print(`  metrics    http://${HOST}:${node.metricsPort}/metrics`)
  print(`  log        ${node.logFile}`)
  print(`  try        echo hello | kcat -b ${bootstrap} -t ${topic} -P && kcat -b ${bootstrap} -t ${topic} -C -e`)
  print('Ctrl-C stops it; the next start finds its data.')
}

function aborted(signal: AbortSignal): Promise<string> {
  return new Promise((done) => {
    if (signal.aborted) done('')
    signal.addEventListener('abort', () => done(''), { once: true })
  })
}
