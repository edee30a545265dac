import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { CodecName } from '../../../broker/env/compute.ts'
import { NodeClock } from '../../../broker/host/clock.ts'
import { NodeCompute } from '../../../broker/host/compute.ts'
import { NodeDisk } from '../../../broker/host/disk.ts'
import { NodeRandom } from '../../../broker/host/random.ts'
import type { BatchView } from '../../../broker/records/batch.ts'
import { buildBatch } from '../../../broker/records/build.ts'
import { controlKey } from '../../../broker/records/control.ts'
import { batches, readRecords } from '../../../broker/records/read.ts'
import { DEFAULT_LOG_CONFIG } from '../../../broker/storage/log-config.ts'
import { PartitionLog } from '../../../broker/storage/log.ts'
import { DirectoryNames } from '../../../broker/storage/directory-names.ts'
import { OpenFiles } from '../../../broker/storage/open-files.ts'
import { TailCache } from '../../../broker/storage/tail-cache.ts'
import { silentLogger } from '../../fakes/logger.ts'
import { type JavaTools, startJavaTools } from '../../tools/java-tool.ts'
import { describeWith } from '../../tools/requires.ts'

const JAVA_TIMEOUT_MS = 300_000
const TOPIC_ID = 'cAh3nFQcTQ2nM9yNrl0Ghg'
const CODECS: readonly CodecName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
/** Recent: a log forgets producers that have been silent for long. */
const BASE_TIMESTAMP = Date.now() - 3_600_000
const compute = new NodeCompute()
const utf8 = (text: string) => new TextEncoder().encode(text)
const text = (bytes: Uint8Array | null) => new TextDecoder().decode(bytes ?? undefined)

function open(directory: string, hadCleanShutdown: boolean): Promise<PartitionLog> {
  const disk = new NodeDisk()
  return PartitionLog.open(
    {
      directory,
      topic: 'orders',
      partition: 0,
      topicId: null,
      config: { ...DEFAULT_LOG_CONFIG, segmentBytes: 20_000, indexIntervalBytes: 1000, segmentIndexBytes: 12_000 },
      recoveryPoint: 0,
      logStartOffset: 0,
      hadCleanShutdown,
      producerIdExpirationMs: () => 2 ** 31 - 1,
    },
    {
      disk,
      files: new OpenFiles({ max: 10 }, { disk }),
      parentNames: new DirectoryNames({ path: dirname(directory) }, { disk }),
      clock: new NodeClock(),
      random: new NodeRandom(),
      compute,
      logger: silentLogger(),
      tailCache: new TailCache({ budgetBytes: 0 }),
    },
  )
}

/** The same as `write` of LogTool.java. */
async function write(directory: string): Promise<void> {
  const log = await open(directory, true)
  log.adoptTopicId(TOPIC_ID)
  const sequences = new Map<number, number>()
  for (let i = 0; i < 300; i++) {
    const records = [0, 1, 2].map((j) => ({
      key: utf8(`k${i}`),
      value: utf8(`value ${i} ${j} ${'x'.repeat(i % 90)}`),
      timestampMs: BASE_TIMESTAMP + i * 10 + j,
    }))
    const producer = producerOf(i)
    const baseSequence = sequences.get(producer?.producerId ?? -1) ?? 0
    if (producer !== undefined) sequences.set(producer.producerId, baseSequence + 3)
    const options = { records, baseTimestampMs: BASE_TIMESTAMP + i * 10, codec: CODECS[i % CODECS.length] ?? 'none' }
    const batch = buildBatch({ ...options, ...(producer === undefined ? {} : { ...producer, baseSequence }) }, compute)
    expect(log.appendAsLeader(batch, Math.floor(i / 100))).toMatchObject({ ok: true })
    if (i % 50 === 49) mark(log, i % 100 === 99 ? 'COMMIT' : 'ABORT', i)
  }
  log.updateHighWatermark(log.logEndOffset)
  await log.close()
}

function producerOf(i: number): { producerId: number; producerEpoch: number; isTransactional: boolean } | undefined {
  if (i === 290) return { producerId: 3, producerEpoch: 0, isTransactional: true }
  if (i % 5 === 0) return { producerId: 2, producerEpoch: 4, isTransactional: true }
  return i % 3 === 0 ? { producerId: 1, producerEpoch: 7, isTransactional: false } : undefined
}

function mark(log: PartitionLog, type: 'ABORT' | 'COMMIT', i: number): void {
  const value = Uint8Array.of(0, 0, 0, 0, 0, 1)
  const marker = buildBatch({
    records: [{ key: controlKey(type), value }],
    baseTimestampMs: BASE_TIMESTAMP + i * 10,
    producerId: 2,
    producerEpoch: 4,
    isTransactional: true,
    isControl: true,
  })
  expect(log.appendAsLeader(marker, Math.floor(i / 100), 'COORDINATOR')).toMatchObject({ ok: true })
}

/** The same as `state` of LogTool.java. */
async function stateOf(directory: string, hadCleanShutdown: boolean): Promise<string> {
  const log = await open(directory, hadCleanShutdown)
  log.updateHighWatermark(log.logEndOffset)
  const lines = [`offsets ${log.logStartOffset} ${log.logEndOffset} ${log.lastStableOffset}`]
  for (const { epoch, startOffset } of log.leaderEpochs.entries) lines.push(`epoch ${epoch} ${startOffset}`)
  for (const entry of [...log.producers.entries()].sort((a, b) => a.producerId - b.producerId)) {
    const { producerId, epoch, lastSequence, coordinatorEpoch, currentTxnFirstOffset = -1 } = entry
    const lastOffset = entry.batches.at(-1)?.lastOffset ?? -1
    lines.push(
      `producer ${producerId} ${epoch} ${lastSequence} ${lastOffset} ${coordinatorEpoch} ${currentTxnFirstOffset}`,
    )
  }
  for (const txn of log.abortedTxns(0, log.logEndOffset)) {
    lines.push(`aborted ${txn.producerId} ${txn.firstOffset} ${txn.lastOffset} ${txn.lastStableOffset}`)
  }
  for (const time of [0, BASE_TIMESTAMP + 1500, BASE_TIMESTAMP + 2991, BASE_TIMESTAMP + 5000, -3]) {
    const found = await (time === -3 ? log.offsetOfMaxTimestamp() : log.offsetForTimestamp(time))
    lines.push(`time ${time} ${found === null ? 'none' : `${found.timestampMs} ${found.offset} ${found.leaderEpoch}`}`)
  }
  for (const view of await batchesOf(log)) {
    if (view.isControl) continue
    for (const { offset, timestampMs, key, value } of readRecords(view, compute)) {
      lines.push(`record ${offset} ${timestampMs} ${text(key)} ${text(value)}`)
    }
  }
  await log.close()
  return `${lines.join('\n')}\n`
}

async function batchesOf(log: PartitionLog): Promise<BatchView[]> {
  const found: BatchView[] = []
  for (let offset = log.logStartOffset; offset < log.logEndOffset; offset = found.at(-1)?.nextOffset ?? Infinity) {
    const slice = await log.read(offset, 1 << 20, Infinity, true)
    found.push(...slice.buffers.flatMap((bytes) => [...batches(bytes, { torn: 'throw' })]))
  }
  return found
}

describeWith(['java', 'mvn'], "Apache Kafka's log", () => {
  let root = ''
  let ours = ''
  let theirs = ''
  let java: JavaTools
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'ottla-storage-'))
    ours = join(root, 'orders-0')
    theirs = join(root, 'apache', 'orders-0')
    await write(ours)
    java = await startJavaTools()
    await java.output('LogTool', ['write', theirs, String(BASE_TIMESTAMP)])
  }, JAVA_TIMEOUT_MS)
  afterAll(() => {
    java?.close()
    rmSync(root, { recursive: true })
  })

  /** A copy to open: opening changes files. */
  function copyOf(directory: string, name: string): string {
    const target = join(root, name, 'orders-0')
    cpSync(directory, target, { recursive: true })
    return target
  }

  function javaState(directory: string, clean: boolean): Promise<string> {
    return java.output('LogTool', ['state', directory, String(BASE_TIMESTAMP), String(clean)])
  }

  test.each([
    ['a clean shutdown', true],
    ['a crash', false],
  ])(
    'that was written there holds the same here as there, after %s, and the other way round',
    async (name, clean) => {
      const expected = await javaState(copyOf(theirs, `theirs there ${name}`), clean)
      expect(expected.split('\n').length).toBeGreaterThan(900)
      expect(await stateOf(copyOf(theirs, `theirs here ${name}`), clean)).toBe(expected)
      expect(await javaState(copyOf(ours, `ours there ${name}`), clean)).toBe(expected)
      expect(await stateOf(copyOf(ours, `ours here ${name}`), clean)).toBe(expected)
    },
    JAVA_TIMEOUT_MS,
  )

  test(
    'passes the checks of DumpLogSegments in every file',
    async () => {
      const files = readdirSync(ours).filter((name) => /\.(log|index|timeindex|snapshot|txnindex)$/.test(name))
      expect(new Set(files.map((name) => name.split('.')[1]))).toEqual(
        new Set(['index', 'log', 'snapshot', 'timeindex', 'txnindex']),
      )
      const paths = files.map((name) => join(ours, name)).join(',')
      const { out, err } = await java.call('org.apache.kafka.tools.DumpLogSegments', [
        '--files',
        paths,
        '--deep-iteration',
      ])
      expect(out).toContain('isvalid: true')
      // "-1 is followed by" is said of the first record of every segment but the first, Apache's own too.
      const complaints = /isvalid: false|mismatch|^ +\d+ is followed by|out of order|Exception|not.* found/i
      expect(`${out}${err}`.split('\n').filter((line) => complaints.test(line))).toEqual([])
    },
    JAVA_TIMEOUT_MS,
  )

  test('gives its files the names and sizes that ours have', () => {
    const kinds = (directory: string) =>
      readdirSync(directory)
        .filter((name) => name !== 'partition.metadata')
        .map((name) => name.replace(/^\d+/, ''))
    expect(new Set(kinds(ours))).toEqual(new Set(kinds(theirs)))
    expect(readFileSync(join(ours, 'leader-epoch-checkpoint'), 'utf8')).toBe(
      readFileSync(join(theirs, 'leader-epoch-checkpoint'), 'utf8'),
    )
    expect(readFileSync(join(ours, 'partition.metadata'), 'utf8')).toBe(
      readFileSync(join(theirs, 'partition.metadata'), 'utf8'),
    )
  })
})
