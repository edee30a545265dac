import type { Clock } from '../env/clock.ts'
import type { Connection } from '../env/network.ts'
import { TlsHandshakeError } from '../env/tls.ts'
import type { Logger } from '../telemetry/logger.ts'
import { FrameDecoder, type FrameMemory } from '../protocol/frame-decoder.ts'
import type { Received } from '../security/request-context.ts'

/** An answer, which is told when it goes; monotonic times in ms. */
export interface Answer {
  readonly bytes: readonly Uint8Array[]
  /** Of all of them, once it has left. */
  readonly sizeInBytes: number
  /** All earlier ones have left. */
  leaves(nowMs: number): void
  /** The kernel has all of it, or nobody is there any more to have it. */
  sent(nowMs: number): void
}

/** What a request comes to: an answer, none at all (Produce with acks=0), or the end of the connection. */
export type Reply = Answer | 'none' | 'close'

export interface Peer {
  readonly listener: string
  readonly clientAddress: string
  onAbandoned(gone: () => void): void
  onClosed(closed: () => void): void
  readonly isClosed: boolean
  /** Of the answers that the kernel has whole. */
  readonly takenBytes: number
}

/** Turns frames into replies; never throws or rejects. */
export interface Dispatcher {
  /** True where this request may start while earlier ones of the connection that say the same still wait: Produce. */
  mayOverlap(frame: Uint8Array): boolean
  /** `receivedMs`: the monotonic time at which the request was there. */
  dispatch(request: Received, peer: Peer, receivedMs: number): Reply | Promise<Reply>
}

export interface ServerConnectionOptions {
  readonly listener: string
  readonly maxFrameBytes: number
}

/** What is held of the requests of all connections until they are answered. */
export interface RequestsInProgress {
  bytes: number
}

export interface ServerConnectionDeps {
  readonly dispatcher: Dispatcher
  readonly logger: Logger
  readonly clock: Clock
  /** Where the requests' memory comes from. */
  readonly memory: FrameMemory
  readonly inProgress: RequestsInProgress
  onHandshakeFailed(connection: ServerConnection, error: TlsHandshakeError): void
  onClosed(connection: ServerConnection): void
}

/** Pipelined requests that one connection may have in progress. Clients send 5 (max.in.flight.requests.per.connection). */
const OVERLAP_MAX = 16
/** Beyond this in progress there is one of each connection, and no other is received, as in Apache Kafka: 200 producers held 1 GB. */
const OVERLAP_BYTES_MAX = 64 * 1024 * 1024
const NOTHING = new Uint8Array()

class Slot implements Received {
  frame: Uint8Array
  /** What of it is in progress. */
  bytes: number
  reply: Reply | undefined
  readonly #released: (slot: Slot, heldBytes: number) => void

  constructor(frame: Uint8Array, released: (slot: Slot, heldBytes: number) => void) {
    this.frame = frame
    this.bytes = frame.length
    this.#released = released
  }

  letGo(heldBytes: number): void {
    this.#released(this, heldBytes)
  }
}

/**
 * One client. Requests start in the order they came, one after the other as in Apache Kafka, except that overlapping ones are let
 * through while their predecessors wait for the disk or the replicas. Replies leave in the order of the requests.
 */
export class ServerConnection implements Peer {
  readonly listener: string
  readonly clientAddress: string
  takenBytes = 0
  readonly #connection: Connection
  readonly #deps: ServerConnectionDeps
  readonly #decoder: FrameDecoder
  readonly #slots: Slot[] = []
  /** What was written and may not have been sent yet. */
  readonly #leaving: Answer[] = []
  readonly #abandoned = new Set<() => void>()
  /** Most connections have nobody who asks. */
  #whenClosed: (() => void)[] | undefined
  #held: Uint8Array | undefined
  #exclusive = false
  #blocked = false
  #congested = false
  #closed = false
  /** No further request starts; the connection ends when those before are answered. */
  #refused = false
  /** No further answer is sent either: the connection ends when what was written has left. */
  #isCut = false
  #lastActiveMs: number
  /** When the client was last seen to take something of an answer. */
  #lastProgressMs = Number.NEGATIVE_INFINITY
  /** What was queued at the last look. */
  #queuedBytes = 0

  constructor(connection: Connection, options: ServerConnectionOptions, deps: ServerConnectionDeps) {
    this.listener = options.listener
    this.clientAddress = connection.remote.host
    this.#connection = connection
    this.#deps = deps
    this.#decoder = new FrameDecoder(options.maxFrameBytes, deps.memory)
    this.#lastActiveMs = deps.clock.monotonicMs()
    connection.onData(
      (chunk) => this.#receive(chunk),
      () => this.#decoder.space(),
    )
    connection.onDrain(() => {
      this.#congested = false
      this.#pumpSafely()
    })
    connection.onClose((error) => this.#ended(error))
  }

  /**
   * Monotonic time at which bytes were last received, or seen to be taken; `connections.max.idle.ms` counts from it while nothing is in
   * progress.
   */
  get idleSinceMs(): number {
    if (this.#slots.length > 0) return this.#deps.clock.monotonicMs()
    return Math.max(this.#lastActiveMs, this.#lastProgressMs)
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** How long the client has taken nothing of what there is for it, in ms, by the looks so far. */
  get stalledMs(): number {
    return this.#leaving.length === 0 ? 0 : this.#deps.clock.monotonicMs() - this.#lastProgressMs
  }

  /** Looks whether the client has taken some of a long answer since the last look: who still reads is not idle. */
  lookForProgress(): void {
    const queued = this.#leaving.length === 0 ? 0 : this.#connection.queuedBytes()
    if (queued === this.#queuedBytes) return
    this.#queuedBytes = queued
    this.#lastProgressMs = this.#deps.clock.monotonicMs()
  }

  onAbandoned(gone: () => void): void {
    if (this.#closed) gone()
    else if (this.#slots.length > 0) this.#abandoned.add(gone)
  }

  onClosed(closed: () => void): void {
    if (this.#closed) closed()
    else (this.#whenClosed ??= []).push(closed)
  }

  /** At once: what waits or leaves is lost. */
  close(): void {
    this.#refused = true
    this.#connection.destroy()
  }

  #receive(chunk: Uint8Array): void {
    if (this.#refused) return
    this.#lastActiveMs = this.#deps.clock.monotonicMs()
    this.#decoder.push(chunk)
    this.#pumpSafely()
  }

  #reject(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    this.#deps.logger.warn(
      { client: this.clientAddress, listener: this.listener, reason },
      'closed a connection: bad input',
    )
    this.#refuse()
  }

  /** What the client sent behind this is not looked at; what it sent before is answered, as in Apache Kafka. */
  #refuse(): void {
    this.#refused = true
    this.#endIfAnswered()
  }

  #endIfAnswered(): void {
    if (!this.#refused || this.#closed || this.#leaving.length > 0) return
    if (this.#isCut || this.#slots.length === 0) this.#connection.destroy()
  }

  /** Starts what may start, and stops reading while a frame has to wait: the back-pressure that reaches the client. */
  #pump(): void {
    while (!this.#refused) {
      this.#held ??= this.#decoder.next()
      const frame = this.#held
      if (frame === undefined || !this.#mayStart(frame)) break
      this.#held = undefined
      this.#start(frame)
    }
    const blocked = this.#held !== undefined || (this.#slots.length > 0 && this.#isCrowded)
    if (blocked === this.#blocked || this.#closed || this.#refused) return
    this.#blocked = blocked
    if (blocked) this.#connection.pause()
    else this.#connection.resume()
  }

  #mayStart(frame: Uint8Array): boolean {
    // A client that does not read its answers gets no further ones made.
    if (this.#congested && !this.#closed) return false
    if (this.#slots.length === 0) return true
    if (this.#exclusive || this.#slots.length >= OVERLAP_MAX) return false
    return !this.#isCrowded && this.#deps.dispatcher.mayOverlap(frame)
  }

  get #isCrowded(): boolean {
    return this.#deps.inProgress.bytes >= OVERLAP_BYTES_MAX
  }

  #start(frame: Uint8Array): void {
    const slot = new Slot(frame, this.#release)
    this.#slots.push(slot)
    this.#deps.inProgress.bytes += frame.length
    if (this.#slots.length === 1) this.#exclusive = !this.#deps.dispatcher.mayOverlap(frame)
    // Nothing is received while a frame waits: those that wait were there when bytes last came.
    const reply = this.#deps.dispatcher.dispatch(slot, this, this.#lastActiveMs)
    if (reply instanceof Promise) {
      void reply.then((settled) => {
        this.#settle(slot, settled)
        this.#pumpSafely()
      })
    } else {
      this.#settle(slot, reply)
    }
  }

  #pumpSafely(): void {
    try {
      this.#pump()
    } catch (error) {
      this.#reject(error)
    }
  }

  #settle(slot: Slot, reply: Reply): void {
    slot.reply = reply
    this.#take(slot, 0)
    while (this.#slots.length > 0) {
      const head = (this.#slots[0] as Slot).reply
      if (head === undefined) return
      this.#slots.shift()
      if (head === 'close') this.#cut()
      else if (head !== 'none') this.#send(head)
    }
    if (this.#slots.length === 0) this.#abandoned.clear()
    this.#endIfAnswered()
  }

  #cut(): void {
    this.#isCut = true
    this.#refuse()
  }

  #send(answer: Answer): void {
    const nowMs = this.#deps.clock.monotonicMs()
    answer.leaves(nowMs)
    if (this.#closed || this.#isCut) return answer.sent(nowMs)
    if (this.#leaving.length === 0) this.#lastProgressMs = nowMs
    this.#leaving.push(answer)
    if (!this.#connection.write(answer.bytes, this.#sent)) this.#congested = true
  }

  /** Called once for each answer, in their order. */
  readonly #sent = (): void => {
    this.#lastProgressMs = this.#deps.clock.monotonicMs()
    const answer = this.#leaving.shift()
    if (answer !== undefined) {
      this.takenBytes += answer.sizeInBytes
      answer.sent(this.#lastProgressMs)
    }
    this.#endIfAnswered()
  }

  /** What the slot still has of its request, of which `heldBytes` are left in progress. */
  #take(slot: Slot, heldBytes: number): Uint8Array {
    const { frame } = slot
    slot.frame = NOTHING
    this.#deps.inProgress.bytes += heldBytes - slot.bytes
    slot.bytes = heldBytes
    return frame
  }

  /** Deferred: what was staged of the request in this tick was to be written at its end, earlier. */
  readonly #release = (slot: Slot, heldBytes: number): void => {
    const { memory, clock } = this.#deps
    const frame = this.#take(slot, heldBytes)
    if (memory.isLent(frame)) clock.defer(() => memory.giveBack(frame))
    if (this.#blocked) clock.defer(() => this.#pumpSafely())
  }

  /** Whole requests that came before the end are still served: a producer with acks=0 sends, and is gone. */
  #ended(error: Error | undefined): void {
    this.#closed = true
    if (error instanceof TlsHandshakeError) this.#deps.onHandshakeFailed(this, error)
    else if (error !== undefined)
      this.#deps.logger.debug({ client: this.clientAddress, reason: error.message }, 'a connection broke')
    for (const gone of this.#abandoned) gone()
    this.#abandoned.clear()
    while (this.#leaving.length > 0) this.#sent()
    for (const closed of this.#whenClosed ?? []) closed()
    this.#deps.onClosed(this)
    this.#pumpSafely()
  }
}
