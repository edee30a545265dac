import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import type { Connection } from '../../../broker/env/network.ts'
import { NodeDisk } from '../../../broker/host/disk.ts'
import { NodeNetwork } from '../../../broker/host/network.ts'
import { BufferPool } from '../../../broker/lib/buffer-pool.ts'

const SIZE = 100_000

test('memory that is given back is lent again', () => {
  const buffers = new BufferPool()
  const first = buffers.take(SIZE)
  buffers.giveBack(first)
  expect(buffers.take(SIZE - 1).buffer).toBe(first.buffer)
})

test('memory that is given back twice is lent once', () => {
  const buffers = new BufferPool()
  const first = buffers.take(SIZE)
  buffers.giveBack(first)
  buffers.giveBack(first)
  buffers.take(SIZE)
  expect(buffers.take(SIZE).buffer).not.toBe(first.buffer)
})

test('memory of others is never taken', () => {
  const buffers = new BufferPool()
  const others = Buffer.allocUnsafeSlow(2 ** 17)
  expect(buffers.isLent(others)).toBe(false)
  buffers.giveBack(others)
  expect(buffers.take(SIZE).buffer).not.toBe(others.buffer)
})

test('what is kept has a limit', () => {
  const buffers = new BufferPool()
  const lent = Array.from({ length: 20 }, () => buffers.take(2 ** 20))
  const memory = new Set(lent.map(({ buffer }) => buffer))
  for (const one of lent) buffers.giveBack(one)
  const again = Array.from({ length: 20 }, () => buffers.take(2 ** 20))
  expect(again.filter(({ buffer }) => memory.has(buffer)).length).toBe(16)
})

test('what was read to be sent arrives whole, and its memory is used again only then', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'buffer-pool-'))
  const buffers = new BufferPool()
  const network = new NodeNetwork(buffers)
  const accepted = Promise.withResolvers<Connection>()
  const listener = await network.listen({ host: '127.0.0.1', port: 0 }, accepted.resolve)
  const client = await network.connect(listener.address, 1000)
  const server = await accepted.promise
  const file = new NodeDisk(buffers).open(join(directory, 'f'), 'create')
  const content = Buffer.from(Array.from({ length: SIZE }, (_, index) => index % 251))
  file.write([content], 0)

  const bytes = await file.readToSend(2 * SIZE, 0)
  const { buffer } = bytes
  const received = Promise.withResolvers<Uint8Array>()
  const chunks: Uint8Array[] = []
  client.onData((chunk) => chunks.push(Uint8Array.from(chunk)))
  client.onClose(() => received.resolve(Buffer.concat(chunks)))
  server.write([bytes.subarray(1)])
  expect(buffers.take(2 * SIZE).buffer).not.toBe(buffer)
  server.end()
  expect(Buffer.compare(await received.promise, content.subarray(1))).toBe(0)
  expect(buffers.take(2 * SIZE).buffer).toBe(buffer)

  file.close()
  await listener.close()
  rmSync(directory, { recursive: true })
})
