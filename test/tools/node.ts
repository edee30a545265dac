import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from './bound-process.ts'
import { run } from './run.ts'
import { ServerProcess } from './server-process.ts'

const HOST = '127.0.0.1'
/** Below what any system gives out by itself. */
const PORTS = { from: 10_240, count: 8192 }

/** What the storage of a new node is formatted with. */
export interface Format {
  readonly clusterId: string
  /** Who the first controllers are, in the words of kafka-storage. */
  readonly quorum: readonly string[]
}

/** How one broker is formatted and started; both read the same `server.properties`. */
export interface Distribution {
  readonly name: string
  /** Null where the first `serve` does it. */
  readonly format: ((propertiesFile: string, format: Format) => Promise<Command>) | null
  /** `format`: of a node that is not formatted yet. */
  readonly serve: (propertiesFile: string, format?: Format) => Promise<Command>
}

export interface NodeOptions {
  /** Holds configuration, output and data; a temporary one, removed by `stop`, where it is left out. One with data is not formatted again. */
  readonly directory?: string
  /** Lines of `server.properties` that are added or replaced. */
  readonly overrides?: Readonly<Record<string, string>>
  readonly startMsMax?: number
}

/** A single-node cluster (controller and broker in one process) that accepts connections. */
export interface RunningNode {
  readonly distribution: string
  readonly host: string
  readonly port: number
  /** `host:port`. */
  readonly bootstrap: string
  readonly directory: string
  /** The one directory of `log.dirs`. */
  readonly logDir: string
  readonly pid: number
  /** When the process was started, as `performance.now()`. */
  readonly spawnedMs: number
  /** What it has written to its output so far. */
  output(): string
  running(): boolean
  /** SIGTERM; resolves when the process is gone. Fails when it does not go in time. */
  stop(): Promise<void>
  /** SIGKILL; resolves when the process is gone. The data stays. */
  kill(): Promise<void>
}

interface Ports {
  readonly broker: number
  readonly controller: number
  readonly metrics: number
}

/** Formats (where needed) and starts a node; resolves when its listener accepts. */
export async function startNode(distribution: Distribution, options: NodeOptions = {}): Promise<RunningNode> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), `${distribution.name}-`))
  const logDir = join(directory, 'data')
  mkdirSync(logDir, { recursive: true })
  const ports = await portsOf(directory)
  const file = join(directory, 'server.properties')
  writeFileSync(file, propertiesOf(ports, logDir, options.overrides ?? {}))
  const isNew = !existsSync(join(logDir, 'meta.properties'))
  const rest = isNew
    ? await formatted(distribution, file, { clusterId: clusterId(), quorum: ['--standalone'] })
    : undefined
  const command = await distribution.serve(file, rest)
  const server = new ServerProcess(distribution.name, command, join(directory, 'output.log'))
  await server.accepting(HOST, ports.broker, options.startMsMax ?? 60_000)
  return runningNode({ distribution, directory, logDir, server, port: ports.broker, temporary: !options.directory })
}

/** Formats a new node; returns what is left for its first `serve` to do. */
export async function formatted(
  distribution: Distribution,
  propertiesFile: string,
  format: Format,
): Promise<Format | undefined> {
  const command = await distribution.format?.(propertiesFile, format)
  if (command === undefined) return format
  await run(command.program, command.args, { env: { ...command.env } })
  return undefined
}

interface Parts {
  readonly distribution: Distribution
  readonly directory: string
  readonly logDir: string
  readonly server: ServerProcess
  readonly port: number
  readonly temporary: boolean
}

function runningNode({ distribution, directory, logDir, server, port, temporary }: Parts): RunningNode {
  return {
    distribution: distribution.name,
    host: HOST,
    port,
    bootstrap: `${HOST}:${port}`,
    directory,
    logDir,
    pid: server.pid,
    spawnedMs: server.spawnedMs,
    output: () => server.output(),
    running: () => server.isRunning,
    stop: async () => {
      await server.end('SIGTERM')
      if (temporary) rmSync(directory, { recursive: true, force: true })
    },
    kill: () => server.end('SIGKILL'),
  }
}

/** The ports that belong to `directory`: they are in the quorum's records, so a restart keeps them. */
async function portsOf(directory: string): Promise<Ports> {
  const file = join(directory, 'ports.json')
  if (existsSync(file)) {
    const kept: Ports = JSON.parse(readFileSync(file, 'utf8'))
    return kept
  }
  const [broker = 0, controller = 0, metrics = 0] = await freePorts(3)
  const ports = { broker, controller, metrics }
  writeFileSync(file, JSON.stringify(ports))
  return ports
}

/** `count` loopback ports that nobody listens on, all different. Not those that the system gives to clients: it might, before they are used. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>()
  while (found.size < count) {
    const port = PORTS.from + (randomBytes(2).readUInt16LE() % PORTS.count)
    if (await isFree(port)) found.add(port)
  }
  return [...found]
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, HOST, () => server.close(() => resolve(true)))
  })
}

function propertiesOf(ports: Ports, logDir: string, overrides: Readonly<Record<string, string>>): string {
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    listeners: `PLAINTEXT://${HOST}:${ports.broker},CONTROLLER://${HOST}:${ports.controller}`,
    'advertised.listeners': `PLAINTEXT://${HOST}:${ports.broker},CONTROLLER://${HOST}:${ports.controller}`,
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.bootstrap.servers': `${HOST}:${ports.controller}`,
    'log.dirs': logDir,
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '5',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '5',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    // Tests write timestamps of their own: what they wrote is not too old.
    'log.retention.ms': '-1',
    // Ours; Apache's broker keeps keys that it does not know to itself.
    'metrics.listen': `${HOST}:${ports.metrics}`,
    ...overrides,
  }
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

/** A fresh cluster id: a random uuid as Kafka writes it, never with a leading '-', which command lines take for an option. */
export function clusterId(): string {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? clusterId() : id
}
