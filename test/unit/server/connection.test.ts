import { describe, expect, test } from '@jest/globals'
import type { Connection } from '../../../broker/env/network.ts'
import { type Dispatcher, type Reply, ServerConnection } from '../../../broker/server/connection.ts'
import { silentLogger } from '../../fakes/logger.ts'

/** A connection whose two ends are in the test's hands. */
class ScriptedConnection implements Connection {
  readonly remote = { host: '127.0.0.1', port: 1 }
  readonly local = { host: '127.0.0.1', port: 2 }
  readonly sent: number[] = []
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
  write(buffers: readonly Uint8Array[]): boolean {
    for (const buffer of buffers) this.sent.push(...buffer)
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
  readonly #answers = new Map<number, (reply: Reply) => void>()
  mayOverlap(frame: Uint8Array): boolean {
    return (frame[0] as number) < 100
  }
  dispatch(frame: Uint8Array): Promise<Reply> {
    const id = frame[0] as number
    this.started.push(id)
    return new Promise((resolve) => this.#answers.set(id, resolve))
  }
  async answer(id: number, reply: Reply = [Uint8Array.of(id)]): Promise<void> {
    this.#answers.get(id)?.(reply)
    await Promise.resolve()
    await Promise.resolve()
  }
}

function setUp(): {
  connection: ScriptedConnection
  dispatcher: ScriptedDispatcher
  send: (...ids: number[]) => void
  served: ServerConnection
} {
  const connection = new ScriptedConnection()
  const dispatcher = new ScriptedDispatcher()
  const served = new ServerConnection(
    connection,
    { listener: 'PLAINTEXT', maxFrameBytes: 100 },
    { dispatcher, logger: silentLogger(), nowMs: () => 0, onClosed: () => {} },
  )
  const send = (...ids: number[]): void => connection.receive(new Uint8Array(ids.flatMap((id) => [0, 0, 0, 1, id])))
  return { connection, dispatcher, send, served }
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
