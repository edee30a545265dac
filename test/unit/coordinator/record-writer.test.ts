import { expect, test } from '@jest/globals'
import { RecordWriter } from '../../../broker/coordinator/group/record-writer.ts'
import { NodeCompute } from '../../../broker/host/compute.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { BatchView } from '../../../broker/records/batch.ts'
import { SimClock } from '../../fakes/clock.ts'
import { FakeLog } from './fake-log.ts'
import { bytes } from './group-rig.ts'

function writerOn(log: FakeLog) {
  const clock = new SimClock()
  const deps = { appender: log, clock, compute: new NodeCompute() }
  return { clock, writer: new RecordWriter({ partition: 0, codec: 'none' }, deps) }
}

const record = (key: string, size = 1) => ({ key: bytes(key), value: new Uint8Array(size) })

test('each write learns where its first record went', async () => {
  const log = new FakeLog()
  const { clock, writer } = writerOn(log)
  const offsets: number[] = []
  writer.write([record('a'), record('b')], (_, offset) => offsets.push(offset))
  writer.write([record('c')], (_, offset) => offsets.push(offset))
  await clock.run(1)
  expect(offsets).toEqual([0, 2])
})

test('what exceeds the size that a partition takes now goes into the next batch', async () => {
  const log = new FakeLog()
  const { clock, writer } = writerOn(log)
  const errors: ErrorCode[] = []
  for (const maxMessageBytes of [330, 200, 330]) {
    log.maxMessageBytes = maxMessageBytes
    for (const key of ['a', 'b', 'c']) writer.write([record(key, 100)], (error) => errors.push(error))
    await clock.run(1)
  }
  expect(log.batches().map((batch) => new BatchView(batch).recordCount)).toEqual([2, 1, 1, 1, 1, 2, 1])
  expect(new Set(errors)).toEqual(new Set([ErrorCode.NONE]))
})

test('no batch is larger than it need be for a coordinator, whatever a partition takes', async () => {
  const log = new FakeLog()
  log.maxMessageBytes = Infinity
  const { clock, writer } = writerOn(log)
  for (const key of ['a', 'b']) writer.write([record(key, 300_000)], () => undefined)
  await clock.run(1)
  expect(log.batches()).toHaveLength(2)
})

test('outcomes are told in the order of the writes, even where a later append is over first', async () => {
  const log = new FakeLog()
  const { clock, writer } = writerOn(log)
  const told: string[] = []
  log.isHeld = true
  writer.write([record('a')], () => told.push('a'))
  await clock.run(1)
  log.isHeld = false
  writer.write([record('b')], () => told.push('b'))
  await clock.run(1)
  expect(told).toEqual([])
  log.release()
  await clock.run(1)
  expect(told).toEqual(['a', 'b'])
})

test('an append that throws is the loss of the partition', async () => {
  const log = new FakeLog()
  log.append = () => Promise.reject(new Error('the disk is gone'))
  const { clock, writer } = writerOn(log)
  const errors: ErrorCode[] = []
  writer.write([record('a')], (error) => errors.push(error))
  await clock.run(1)
  expect(errors).toEqual([ErrorCode.NOT_COORDINATOR])
})

test('closing tells every open write, once', async () => {
  const log = new FakeLog()
  const { clock, writer } = writerOn(log)
  const told: [string, ErrorCode][] = []
  log.isHeld = true
  writer.write([record('a')], (error) => told.push(['a', error]))
  await clock.run(1)
  writer.write([record('b')], (error) => told.push(['b', error]))
  writer.close(ErrorCode.NOT_COORDINATOR)
  writer.write([record('c')], (error) => told.push(['c', error]))
  log.release()
  await clock.run(1)
  expect(told).toEqual(['a', 'b', 'c'].map((key) => [key, ErrorCode.NOT_COORDINATOR]))
  expect(log.batches()).toHaveLength(1)
})
