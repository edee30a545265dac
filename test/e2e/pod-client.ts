import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface TopicDescription {
  readonly partitions: number
  readonly config: Readonly<Record<string, string>>
}

type Command = 'produce' | 'write' | 'end' | 'consume' | 'describe' | 'create' | 'configure' | 'replicas'

interface Answer {
  readonly id: number
  readonly answer?: unknown
  readonly error?: string
}

/** kafkajs in a pod; see client/client.ts for what it does. One process for all that is asked: each costs as much as a small cluster to start. */
export class Client {
  readonly #start: () => ChildProcessWithoutNullStreams
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #process: ChildProcessWithoutNullStreams | null = null
  #lastId = 0

  /** `start` runs it, each time that there is something to ask and it does not run. */
  constructor(deps: { start: () => ChildProcessWithoutNullStreams }) {
    this.#start = deps.start
  }

  produce(topic: string, count: number): Promise<{ written: number }> {
    return this.#ask('produce', topic, count).answer as Promise<{ written: number }>
  }

  /** Writes `count` records at a time until it is told to stop, which resolves with how many have been acknowledged. */
  writer(topic: string, count: number): { stop(): Promise<number> } {
    const { id, answer } = this.#ask('write', topic, count)
    // It is told when it is stopped.
    answer.catch(() => undefined)
    return {
      stop: async () => {
        await Promise.race([answer, this.#ask('end', topic, id).answer])
        return ((await answer) as { written: number }).written
      },
    }
  }

  /** The values of `count` records from the beginning, by partition. */
  consume(topic: string, count: number): Promise<Record<string, string[]>> {
    return this.#ask('consume', topic, count).answer as Promise<Record<string, string[]>>
  }

  /** Null where there is no such topic. */
  describe(topic: string): Promise<TopicDescription | null> {
    return this.#ask('describe', topic).answer as Promise<TopicDescription | null>
  }

  /** Node ids, by partition. */
  replicas(topic: string): Promise<number[][]> {
    return this.#ask('replicas', topic).answer as Promise<number[][]>
  }

  async create(topic: string, description: TopicDescription): Promise<void> {
    await this.#ask('create', topic, description).answer
  }

  async configure(topic: string, config: Readonly<Record<string, string>>): Promise<void> {
    await this.#ask('configure', topic, config).answer
  }

  #ask(command: Command, topic: string, argument: unknown = null): { id: number; answer: Promise<unknown> } {
    const id = ++this.#lastId
    const waiting = Promise.withResolvers<unknown>()
    this.#waiting.set(id, waiting)
    this.#running().stdin.write(`${JSON.stringify({ id, command, topic, argument })}\n`)
    return { id, answer: waiting.promise }
  }

  #running(): ChildProcessWithoutNullStreams {
    if (this.#process !== null) return this.#process
    const child = this.#start()
    this.#process = child
    let complained = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complained += text))
    // Whoever asks one that has ended hears of it below.
    child.stdin.on('error', () => undefined)
    createInterface({ input: child.stdout }).on('line', (line) => this.#take(JSON.parse(line) as Answer))
    child.on('close', (code) => {
      this.#process = null
      for (const id of this.#waiting.keys()) this.#take({ id, error: `the client ended with ${code}:\n${complained}` })
    })
    return child
  }

  #take({ id, answer, error }: Answer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiting?.resolve(answer)
    else waiting?.reject(new Error(error))
  }
}
