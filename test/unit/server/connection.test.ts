import { describe, expect, test } from '@jest/globals'
import type { Connection } from '../../../broker/env/network.ts'
import {
  type Answer,
  type Dispatcher,
  type Peer,
  type RequestsInProgress,
  type Reply,
  ServerConnection,
} from '../../../broker/server/connection.ts'
import { BufferPool } from '../../../broker/lib/buffer-pool.ts'
import { inOwnMemory, type Received } from '../../../broker/security/request-context.ts'
import { SimClock } from '../../fakes/clock.ts'
import { silentLogger } from '../../fakes/logger.ts'

/** Of a frame whose memory is worth to be used again. */
const LARGE_BYTES = 5000

/** A connection whose two ends are in the test's hands. */
class ScriptedConnection implements Connection {
  readonly remote = { host: '127.0.0.1', port: 1 }
  readonly local = { host: '127.0.0.1', port: 2 }
  readonly sent: number[] = []
  /** What is to be called when the kernel has each of the answers. */
  readonly flushes: (() => void)[] = []
  paused = false
  destroyed = false
  congested = false
  drained: () => void = () => {}
  receive: (chunk: Uint8Array) => void = () => {}
  closed: (error: Error | undefined) => void = () => {}
  onData(receive: (chunk: Uint8Array) => void): void {
    this.receive = receive
  }
  onClose(closed: (error: Error | undefined) => void): void {
    this.closed = closed
  }
  onDrain(drained: () => void): void {
    this.drained = drained
  }
  write(buffers: readonly Uint8Array[], sent?: () => void): boolean {
    for (const buffer of buffers) this.sent.push(...buffer)
    if (sent !== undefined) this.flushes.push(sent)
    return !this.congested
  }
  queuedBytes(): number {
    return 0
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  end(): void {}
  destroy(): void {
    this.destroyed = true
    this.closed(undefined)
  }
}

/** Frames are one byte: below 100 they overlap, from 100 on they do not. The test answers them by hand. */
class ScriptedDispatcher implements Dispatcher {
  readonly started: number[] = []
  /** What the answers were told, and when. */
  readonly told: string[] = []
  /** When each request was there. */
  readonly receivedMs: number[] = []
  /** The last request that has started. */
  request: Received = inOwnMemory(new Uint8Array())
  readonly #answers = new Map<number, (reply: Reply) => void>()
  mayOverlap(frame: Uint8Array): boolean {
    return (frame[0] as number) < 100
  }
  dispatch(request: Received, _: Peer, receivedMs: number): Promise<Reply> {
    const id = request.frame[0] as number
    this.receivedMs.push(receivedMs)
    this.started.push(id)
    this.request = request
    return new Promise((resolve) => this.#answers.set(id, resolve))
  }
  async answer(id: number, reply: Reply = this.#answerOf(id)): Promise<void> {
    this.#answers.get(id)?.(reply)
    await Promise.resolve()
    await Promise.resolve()
  }
  #answerOf(id: number): Answer {
    return {
      bytes: [Uint8Array.of(id)],
      sizeInBytes: 1,
      leaves: (nowMs) => this.told.push(`${id} leaves at ${nowMs}`),
      sent: (nowMs) => this.told.push(`${id} sent at ${nowMs}`),
    }
  }
}

function setUp(): {
  connection: ScriptedConnection
  dispatcher: ScriptedDispatcher
  send: (...ids: number[]) => void
  served: ServerConnection
  clock: SimClock
  memory: BufferPool
  inProgress: RequestsInProgress
} {
  const connection = new ScriptedConnection()
  const dispatcher = new ScriptedDispatcher()
  const clock = new SimClock()
  const memory = new BufferPool()
  const inProgress = { bytes: 0 }
  const served = new ServerConnection(
    connection,
    { listener: 'PLAINTEXT', maxFrameBytes: LARGE_BYTES },
    { dispatcher, logger: silentLogger(), clock, memory, inProgress, onHandshakeFailed: () => {}, onClosed: () => {} },
  )
  const send = (...ids: number[]): void => connection.receive(new Uint8Array(ids.flatMap((id) => [0, 0, 0, 1, id])))
  return { connection, dispatcher, send, served, clock, memory, inProgress }
}

describe('ServerConnection', () => {
  test('requests that do not overlap start one after the other', async () => {
    const { connection, dispatcher, send } = setUp()
    send(100, 101)
    expect(dispatcher.started).toEqual([100])
    await dispatcher.answer(100)
    expect(dispatcher.started).toEqual([100, 101])
    expect(connection.sent).toEqual([100])
  })

  test('overlapping requests start at once and are answered in their order', async () => {
    const { connection, dispatcher, send } = setUp()
    send(1, 2, 3)
    expect(dispatcher.started).toEqual([1, 2, 3])
    await dispatcher.answer(2)
    expect(connection.sent).toEqual([])
    await dispatcher.answer(1)
    expect(connection.sent).toEqual([1, 2])
  })

  test('a request that does not overlap waits for overlapping ones before it', async () => {
    const { dispatcher, send } = setUp()
    send(1, 100)
    expect(dispatcher.started).toEqual([1])
    await dispatcher.answer(1)
    expect(dispatcher.started).toEqual([1, 100])
  })

  test('overlapping requests wait for each other where those of all connections are too much', async () => {
    const { connection, dispatcher, send, inProgress } = setUp()
    send(1, 2)
    expect([dispatcher.started, inProgress.bytes]).toEqual([[1, 2], 2])
    expect(connection.paused).toBe(false)
    inProgress.bytes += 64 * 1024 * 1024
    send(3)
    await dispatcher.answer(1)
    await dispatcher.answer(2)
    expect([dispatcher.started, connection.paused]).toEqual([[1, 2, 3], true])
    send(4)
    expect(dispatcher.started).toEqual([1, 2, 3])
    inProgress.bytes -= 64 * 1024 * 1024
    await dispatcher.answer(3)
    expect([dispatcher.started, connection.paused]).toEqual([[1, 2, 3, 4], false])
    await dispatcher.answer(4)
    expect(inProgress.bytes).toBe(0)
  })

  test('what is let go is in progress no more: the next one starts, whose connection waited for that', async () => {
    const { connection, dispatcher, send, inProgress, clock } = setUp()
    send(1)
    const { request } = dispatcher
    inProgress.bytes += 64 * 1024 * 1024 - 1
    send(2)
    expect([dispatcher.started, connection.paused]).toEqual([[1], true])
    request.letGo(0)
    expect([request.frame.length, inProgress.bytes]).toEqual([0, 64 * 1024 * 1024 - 1])
    clock.runDeferred()
    expect([dispatcher.started, connection.paused]).toEqual([[1, 2], true])
    await dispatcher.answer(1)
    expect(inProgress.bytes).toBe(64 * 1024 * 1024)
  })

  test('what is held for the answer stays in progress', async () => {
    const { dispatcher, send, inProgress } = setUp()
    send(1, 2)
    dispatcher.request.letGo(700)
    expect(inProgress.bytes).toBe(701)
    dispatcher.request.letGo(500)
    expect(inProgress.bytes).toBe(501)
    await dispatcher.answer(2)
    await dispatcher.answer(1)
    expect(inProgress.bytes).toBe(0)
  })

  test('reading stops while a request has to wait', async () => {
    const { connection, dispatcher, send } = setUp()
    send(100, 101)
    expect(connection.paused).toBe(true)
    await dispatcher.answer(100)
    expect(connection.paused).toBe(false)
  })

  test('a client that does not read its answers gets no more of them', async () => {
    const { connection, dispatcher, send } = setUp()
    connection.congested = true
    send(100, 101)
    await dispatcher.answer(100)
    expect(dispatcher.started).toEqual([100])
    connection.drained()
    expect(dispatcher.started).toEqual([100, 101])
  })

  test('a request without an answer does not hold up the next one', async () => {
    const { connection, dispatcher, send } = setUp()
    send(1, 2)
    await dispatcher.answer(2)
    await dispatcher.answer(1, 'none')
    expect(connection.sent).toEqual([2])
  })

  test('a frame of a bad size ends the connection', () => {
    const { connection } = setUp()
    connection.receive(Uint8Array.of(0x7f, 0, 0, 0))
    expect(connection.destroyed).toBe(true)
  })

  test('what a client sent before it closed is still served', async () => {
    const { connection, dispatcher, send } = setUp()
    send(100, 101)
    connection.closed(undefined)
    await dispatcher.answer(100)
    expect(dispatcher.started).toEqual([100, 101])
    expect(connection.sent).toEqual([])
  })

  test('what a client sent behind a bad request is not', async () => {
    const { connection, dispatcher, send } = setUp()
    send(100, 101)
    await dispatcher.answer(100, 'close')
    expect(connection.destroyed).toBe(true)
    expect(dispatcher.started).toEqual([100])
  })

  test('what a client sent before a bad request is answered before the connection ends', async () => {
    const { connection, dispatcher, send } = setUp()
    send(1, 2, 3)
    await dispatcher.answer(1)
    await dispatcher.answer(2, 'close')
    await dispatcher.answer(3)
    expect([connection.sent, connection.destroyed]).toEqual([[1], false])
    for (const flushed of connection.flushes) flushed()
    expect([connection.sent, connection.destroyed]).toEqual([[1], true])
  })

  test('what a client sent before a frame of a bad size is answered, and nothing behind is read', async () => {
    const { connection, dispatcher, send } = setUp()
    send(100)
    connection.receive(Uint8Array.of(0x7f, 0, 0, 0))
    send(101)
    await dispatcher.answer(100)
    expect([connection.sent, connection.destroyed]).toEqual([[100], false])
    for (const flushed of connection.flushes) flushed()
    expect(connection.destroyed).toBe(true)
    expect(dispatcher.started).toEqual([100])
  })

  test('a connection that the server closes waits for nothing', async () => {
    const { connection, dispatcher, send, served } = setUp()
    send(1, 2)
    await dispatcher.answer(1)
    served.close()
    expect(connection.destroyed).toBe(true)
  })

  test('whoever asks hears that the connection has ended, also when it is over already', () => {
    const { connection, served } = setUp()
    const told: string[] = []
    served.onClosed(() => told.push('before'))
    expect(told).toEqual([])
    connection.destroy()
    served.onClosed(() => told.push('behind'))
    expect(told).toEqual(['before', 'behind'])
  })

  test('whoever waits for the answer hears that the client has gone', () => {
    const { connection, send, served } = setUp()
    let gone = false
    send(100)
    served.onAbandoned(() => {
      gone = true
    })
    connection.destroy()
    expect(gone).toBe(true)
  })
})

describe('the times of a request', () => {
  test('it is there when its last bytes came, however long it has to wait', async () => {
    const { dispatcher, send, clock } = setUp()
    const sentMs = clock.monotonicMs()
    send(100, 101)
    await clock.run(10)
    await dispatcher.answer(100)
    expect(dispatcher.receivedMs).toEqual([sentMs, sentMs])
  })

  test('its answer leaves after those before it, and is sent when the kernel has it', async () => {
    const { connection, dispatcher, send, clock } = setUp()
    const startMs = clock.monotonicMs()
    send(1, 2)
    await dispatcher.answer(2)
    await clock.run(5)
    await dispatcher.answer(1)
    await clock.run(3)
    for (const flushed of connection.flushes) flushed()
    const [leftMs, sentMs] = [startMs + 5, startMs + 8]
    expect(dispatcher.told).toEqual([
      `1 leaves at ${leftMs}`,
      `2 leaves at ${leftMs}`,
      `1 sent at ${sentMs}`,
      `2 sent at ${sentMs}`,
    ])
  })

  test('count for their client once it has taken them, who takes nothing for so long is seen', async () => {
    const { connection, dispatcher, send, served, clock } = setUp()
    send(1, 2)
    await clock.run(50)
    await dispatcher.answer(1)
    await dispatcher.answer(2)
    connection.flushes.shift()?.()
    await clock.run(7)
    expect([served.takenBytes, served.stalledMs]).toEqual([1, 7])
    connection.flushes.shift()?.()
    expect([served.takenBytes, served.stalledMs, served.isClosed]).toEqual([2, 0, false])
    connection.destroy()
    expect(served.isClosed).toBe(true)
  })

  test('they end with the connection', async () => {
    const { connection, dispatcher, send } = setUp()
    send(1, 2)
    await dispatcher.answer(1)
    connection.destroy()
    await dispatcher.answer(2)
    expect(dispatcher.told.map((text) => text.slice(0, 6))).toEqual(['1 leav', '1 sent', '2 leav', '2 sent'])
  })
})

describe('the memory of a large request', () => {
  function large(id: number): Uint8Array {
    const chunk = Buffer.alloc(4 + LARGE_BYTES, id)
    chunk.writeInt32BE(LARGE_BYTES)
    return chunk
  }

  test('is used again once it is let go, when what it staged in that tick is written; the answer may be far away', () => {
    const { connection, dispatcher, clock, memory } = setUp()
    connection.receive(large(1))
    clock.runDeferred()
    const { request } = dispatcher
    const { frame } = request
    expect(memory.isLent(frame)).toBe(true)
    request.letGo(0)
    expect([memory.isLent(frame), request.frame.length]).toEqual([true, 0])
    clock.runDeferred()
    expect(memory.isLent(frame)).toBe(false)
    connection.receive(large(2))
    expect(dispatcher.request.frame.buffer).toBe(frame.buffer)
  })

  test('is used again once, however often it is let go', () => {
    const { connection, dispatcher, clock } = setUp()
    connection.receive(large(1))
    dispatcher.request.letGo(0)
    dispatcher.request.letGo(0)
    clock.runDeferred()
    connection.receive(large(2))
    const { frame } = dispatcher.request
    connection.receive(large(3))
    expect(dispatcher.request.frame.buffer).not.toBe(frame.buffer)
  })

  test('is left to who has it where it is not let go', async () => {
    const { connection, dispatcher, clock, memory } = setUp()
    connection.receive(large(1))
    const { frame } = dispatcher.request
    await dispatcher.answer(1)
    clock.runDeferred()
    expect(memory.isLent(frame)).toBe(true)
  })

  test('is its own while another one waits for its answer', async () => {
    const { connection, dispatcher } = setUp()
    connection.receive(large(1))
    const first = dispatcher.request.frame
    connection.receive(large(2))
    expect(dispatcher.request.frame.buffer).not.toBe(first.buffer)
    expect(first[1]).toBe(1)
  })
})
