import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Clock } from '../../broker/env/clock.ts'
import type { Address, Network } from '../../broker/env/network.ts'
import type { Random } from '../../broker/env/random.ts'
import { GROUP } from '../api/resource.ts'
import type { KafkaCluster, KafkaTopic } from '../api/resource.ts'
import { specProblem } from '../specs/spec-problem.ts'
import { INTERNAL_LISTENER } from '../specs/nodes.ts'
import { BrokerProcess, prepareNode } from './broker-process.ts'
import { identify } from './cluster-state.ts'
import { localNodes } from './layout.ts'
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
  /** Whether every broker has registered, as the one at `address` says. */
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
  const { cluster, topics, leftOut } = readManifests(options.file)
  for (const what of leftOut)
    deps.print(`left out: ${what}; only KafkaCluster and KafkaTopic of ${GROUP} do anything on this machine`)
  const running: BrokerProcess[] = []
  try {
    await start(cluster, topics, { options, deps, signal, running })
    const ends = running.map(({ node, ended }) => ended.then((how) => `${node.name} has ended by itself: ${how}`))
    const ended = await Promise.race([aborted(signal), ...ends])
    if (!signal.aborted) throw new LocalError(ended)
  } finally {
    if (signal.aborted) deps.print('stopping ...')
    // Brokers hand over to their controllers: those go last.
    const [brokers, controllers] = [
      running.filter(({ node }) => node.isBroker),
      running.filter(({ node }) => !node.isBroker),
    ]
    await Promise.all(brokers.map((broker) => broker.stop()))
    await Promise.all(controllers.map((controller) => controller.stop()))
  }
  deps.print('stopped')
}

interface Session {
  readonly options: LocalOptions
  readonly deps: LocalDeps
  readonly signal: AbortSignal
  /** Every process that has been started. */
  readonly running: BrokerProcess[]
}

async function start(asked: KafkaCluster, topics: readonly KafkaTopic[], session: Session): Promise<void> {
  const { options, deps, signal, running } = session
  const problem = specProblem(asked)
  if (problem !== null) throw new LocalError(`KafkaCluster ${asked.metadata.name}: ${problem}`)
  const directory = join(resolve(options.data), asked.metadata.name)
  const { cluster, clusterId } = identify(asked, directory, deps.random)
  const nodes = localNodes(cluster, { directory, clusterId, port: options.port, metricsPort: options.metricsPort })
  for (const node of nodes) await checkPorts(node, deps.network)
  const isNew = !nodes.some((node) => existsSync(node.directory))
  await Promise.all(nodes.map(prepareNode))
  const processes = nodes.map((node) => new BrokerProcess(node))
  running.push(...processes)
  const address = { host: HOST, port: nodes.find(({ isBroker }) => isBroker)?.ports.get(INTERNAL_LISTENER) ?? 0 }
  await untilReady(cluster, address, processes, deps, signal)
  for (const topic of topics) {
    if (signal.aborted) return
    for (const line of await deps.converge(cluster, address, topic)) deps.print(line)
  }
  introduce(cluster, topics, nodes, `${isNew ? 'new' : 'data found'} in ${directory}`, deps)
}

async function checkPorts(node: LocalNode, network: Network): Promise<void> {
  for (const [name, port] of node.ports) {
    try {
      const listener = await network.listen({ host: HOST, port }, (connection) => connection.destroy())
      await listener.close()
    } catch (error) {
      const what = `port ${port} (${name} of ${node.name}) on ${HOST}`
      const advice = 'stop what uses it, or choose others with --port and --metrics-port'
      throw new LocalError(
        `${what} cannot be used: ${error instanceof Error ? error.message : String(error)}; ${advice}`,
      )
    }
  }
}

async function untilReady(
  cluster: KafkaCluster,
  address: Address,
  processes: readonly BrokerProcess[],
  deps: LocalDeps,
  signal: AbortSignal,
): Promise<void> {
  const deadlineMs = deps.clock.monotonicMs() + READY_TIMEOUT_MS
  while (!signal.aborted) {
    const failed = processes.find(({ end }) => end !== undefined)
    if (failed !== undefined) {
      throw new LocalError(`${failed.node.name} did not start: ${failed.end ?? ''}\n${failed.tail()}`)
    }
    if (deps.clock.monotonicMs() > deadlineMs) {
      throw new LocalError(`the cluster is not ready yet:\n${processes.map((one) => one.tail()).join('\n')}`)
    }
    if (await deps.answers(cluster, address)) return
    await new Promise<void>((wake) => setTimeout(wake, POLL_MS))
  }
}

function introduce(
  cluster: KafkaCluster,
  topics: readonly KafkaTopic[],
  nodes: readonly LocalNode[],
  state: string,
  { print }: LocalDeps,
): void {
  const listener = cluster.spec.listeners[0]?.name ?? ''
  const brokers = nodes.filter(({ isBroker }) => isBroker)
  const bootstrap = brokers.map(({ ports }) => `${HOST}:${ports.get(listener) ?? 0}`).join(',')
  const topic = topics[0]?.spec.topicName ?? topics[0]?.metadata.name ?? 'test'
  print('')
  print(`KafkaCluster ${cluster.metadata.name} is ready (${state})`)
  print(`  bootstrap  ${bootstrap}`)
  for (const { metricsPort, name } of nodes) {
    print(`  metrics    http://${HOST}:${metricsPort}/metrics${nodes.length > 1 ? ` (${name})` : ''}`)
  }
  for (const { logFile } of nodes) print(`  log        ${logFile}`)
  print(`  try        echo hello | kcat -b ${bootstrap} -t ${topic} -P && kcat -b ${bootstrap} -t ${topic} -C -e`)
  print('Ctrl-C stops it; the next start finds its data.')
}

function aborted(signal: AbortSignal): Promise<string> {
  return new Promise((done) => {
    if (signal.aborted) done('')
    signal.addEventListener('abort', () => done(''), { once: true })
  })
}
