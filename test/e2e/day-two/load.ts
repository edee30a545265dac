import { setTimeout as sleep } from 'node:timers/promises'
import { access } from '../bed/kubernetes.ts'
import type { ReaderLine, WatcherLine, WriterLine } from '../client/lines.ts'
import { type Namespace, RESTRICTED } from '../cluster.ts'

export interface LoadOptions {
  readonly bootstrap: string
  readonly topic: string
  readonly partitions: number
  /** Records a second that are written to each partition. */
  readonly rate: number
  /** Consumers of the group. */
  readonly members: number
  /** Of every topic. */
  readonly minIsr: number
  /** The Kubernetes node that all of it runs on. */
  readonly node: string
}

/** What the three programs have said so far. */
export interface Told {
  readonly writer: readonly WriterLine[]
  readonly reader: readonly ReaderLine[]
  readonly watcher: readonly WatcherLine[]
}

const POD = 'load'
const PROGRAMS = ['writer', 'reader', 'watcher'] as const
type Program = (typeof PROGRAMS)[number]
const END_MS_MAX = 60_000
const IN_SYNC_MS_MAX = 120_000
const LOOK_MS = 1000

/** A pod with a producer, a consumer group, and one that asks for the ISR of every partition; see client/ for what each does. */
export class Load {
  readonly #namespace: Namespace

  private constructor(namespace: Namespace) {
    this.#namespace = namespace
  }

  static async start(namespace: Namespace, options: LoadOptions): Promise<Load> {
    await namespace.apply(pod(options))
    await namespace.ready(`pod/${POD}`)
    return new Load(namespace)
  }

  async told(): Promise<Told> {
    const [writer, reader, watcher] = await Promise.all(PROGRAMS.map((program) => this.#linesOf(program)))
    return { writer, reader, watcher } as unknown as Told
  }

  /** Resolves when no partition lacks a replica; gives the brokers that have one of anything. */
  async inSync(): Promise<readonly number[]> {
    const [fromMs, deadline] = [Date.now(), performance.now() + IN_SYNC_MS_MAX]
    for (;;) {
      const [line] = (await this.#linesOf('watcher', '--tail=1')) as WatcherLine[]
      if (line !== undefined && line.atMs > fromMs && line.looks > 0 && line.underReplicated === 0) return line.holders
      if (performance.now() > deadline) throw new Error(`not in sync: ${JSON.stringify(line)}`)
      await sleep(LOOK_MS)
    }
  }

  /** Ends the writer, waits until the readers have read what it wrote, and ends them too. Resolves with all that has been said. */
  async stop(): Promise<Told> {
    await this.#end('writer')
    const deadline = performance.now() + END_MS_MAX
    for (;;) {
      const { writer, reader } = await this.told()
      const [written, read] = [writer.at(-1), reader.at(-1)]
      const isEnded = written?.isLast === true
      if (isEnded && written.acknowledged.every((count, partition) => (read?.next[partition] ?? 0) >= count)) break
      // What is missing then is told by the report.
      if (performance.now() > deadline) break
      await sleep(LOOK_MS)
    }
    await Promise.all([this.#end('reader'), this.#end('watcher')])
    return this.told()
  }

  /** Its first process is the program; what runs in its container ends with it, so that nothing waits for that. */
  async #end(program: Program): Promise<void> {
    await this.#namespace.kubectl('exec', POD, '-c', program, '--', 'sh', '-c', '(sleep 1; kill 1) > /dev/null 2>&1 &')
  }

  async #linesOf(program: Program, ...options: string[]): Promise<unknown[]> {
    const text = await this.#namespace.kubectl('logs', POD, '-c', program, ...options)
    const lines = text.split('\n').filter((line) => line !== '')
    try {
      return lines.map((line) => JSON.parse(line) as unknown)
    } catch (error) {
      throw new Error(`the ${program} has ended: ${lines.slice(-20).join('\n')}`, { cause: error })
    }
  }
}

function pod({ bootstrap, topic, partitions, rate, members, minIsr, node }: LoadOptions): object {
  // kafkajs has Node warn of its timers, in the midst of the lines.
  const commands = {
    writer: ['/client/franz-go', 'write', bootstrap, topic, partitions, rate],
    reader: ['node', '--no-warnings', 'reader.ts', bootstrap, topic, partitions, members],
    watcher: ['node', '--no-warnings', 'watcher.ts', bootstrap, minIsr],
  }
  const image = access()?.images.client
  const containers = PROGRAMS.map((name) => ({
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    command: commands[name].map(String),
    securityContext: RESTRICTED,
    resources: { requests: { cpu: '200m' } },
  }))
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: POD },
    spec: {
      nodeSelector: { 'kubernetes.io/hostname': node },
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      containers,
    },
  }
}
