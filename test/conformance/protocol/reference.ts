import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { java, SMALL_JVM } from '../../tools/apache.ts'
import { javaClasses } from '../../tools/java-classes.ts'

/** What to do with the payload; see Reference.java. */
export const REENCODE = 0
export const REENCODE_METADATA_RECORD = 1
export const GENERATE = 2
export const TABLE = 3

interface Waiting {
  resolve(bytes: Uint8Array): void
  reject(error: Error): void
}

/** Apache Kafka's codecs in a Java process. Questions may be asked without waiting for the answers to earlier ones. */
export class Reference {
  readonly #process: ChildProcessWithoutNullStreams
  readonly #waiting: Waiting[] = []
  #taken = 0
  #received = Buffer.alloc(0)
  #stderr = ''

  constructor(process: ChildProcessWithoutNullStreams) {
    this.#process = process
    process.stdout.on('data', (chunk: Buffer) => this.#receive(chunk))
    process.stderr.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()))
    process.on('close', () => {
      for (const question of this.#waiting.splice(0)) question.reject(new Error(`the reference ended: ${this.#stderr}`))
    })
  }

  /** Compiles it, where that has not been done, and starts it. */
  static async start(): Promise<Reference> {
    const { program, args } = await java(SMALL_JVM, 'Reference', [], [await javaClasses()])
    return new Reference(spawn(program, args))
  }

  ask(operation: number, name: string, version: number, payload: Uint8Array): Promise<Uint8Array> {
    const head = Buffer.alloc(9 + name.length)
    head.writeInt8(operation, 0)
    head.writeInt16BE(name.length, 1)
    head.write(name, 3, 'latin1')
    head.writeInt16BE(version, 3 + name.length)
    head.writeInt32BE(payload.length, 5 + name.length)
    this.#process.stdin.write(head)
    this.#process.stdin.write(payload)
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  stop(): void {
    this.#process.stdin.end()
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received.subarray(this.#taken), chunk])
    this.#taken = 0
    while (this.#next()) continue
  }

  /** Settles the oldest question when its answer is complete. */
  #next(): boolean {
    const left = this.#received.length - this.#taken
    if (left < 3) return false
    const failed = this.#received.readInt8(this.#taken) !== 0
    const headBytes = failed ? 3 : 5
    if (left < headBytes) return false
    const size = failed ? this.#received.readUInt16BE(this.#taken + 1) : this.#received.readInt32BE(this.#taken + 1)
    if (left < headBytes + size) return false
    const body = this.#received.subarray(this.#taken + headBytes, this.#taken + headBytes + size)
    this.#taken += headBytes + size
    const waiting = this.#waiting.shift()
    if (failed) waiting?.reject(new Error(body.toString()))
    else waiting?.resolve(body)
    return true
  }
}
