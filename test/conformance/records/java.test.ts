import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { NodeCompute } from '../../../broker/host/compute.ts'
import { BatchView } from '../../../broker/records/batch.ts'
import { buildBatch } from '../../../broker/records/build.ts'
import { readRecords } from '../../../broker/records/read.ts'
import type { NewRecord } from '../../../broker/records/record.ts'
import { validateProduce } from '../../../broker/records/validate.ts'
import { type JavaTools, startJavaTools } from '../../tools/java-tool.ts'
import { describeWith } from '../../tools/requires.ts'

const JAVA_TIMEOUT_MS = 300_000
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const BASE_TIMESTAMP = 1_700_000_000_000
const compute = new NodeCompute()
const utf8 = (text: string) => new TextEncoder().encode(text)
const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString())

/** What BatchWriter.java writes. */
const written = Array.from({ length: 3000 }, (_, index) => ({
  offset: index,
  timestampMs: BASE_TIMESTAMP + index,
  key: index % 3 === 0 ? null : `key-${index}`,
  value: index % 5 === 0 ? null : `value ${Math.imul(index, 7919)} of Grüße`,
  headers: [
    ['index', `h${index}`],
    ['none', null],
  ],
}))

describeWith(['java', 'mvn'], "Apache Kafka's Java code", () => {
  let directory = ''
  let java: JavaTools
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ottla-records-'))
    java = await startJavaTools()
  }, JAVA_TIMEOUT_MS)
  afterAll(() => {
    java?.close()
    rmSync(directory, { recursive: true })
  })

  test(
    'writes batches that validate and read back here, of every codec',
    async () => {
      await java.output('BatchWriter', [directory])
      for (const codec of CODECS) {
        const bytes = readFileSync(join(directory, `${codec}.batch`))
        const rules = {
          maxMessageBytes: 1e6,
          compacted: false,
          timestampType: 'CreateTime',
          nowMs: BASE_TIMESTAMP,
        } as const
        const verdict = await validateProduce(
          bytes,
          { ...rules, timestampBeforeMaxMs: 1e6, timestampAfterMaxMs: 1e6 },
          compute,
        )
        expect(verdict).toMatchObject({ ok: true, recordCount: 3000, maxTimestampMs: BASE_TIMESTAMP + 2999 })
        const view = new BatchView(bytes)
        expect(view.codec).toBe(codec)
        const read = [...readRecords(view, compute)].map((record) => ({
          ...record,
          key: text(record.key),
          value: text(record.value),
          headers: record.headers.map((header) => [header.key, text(header.value)]),
        }))
        expect(read).toEqual(written)
      }
    },
    JAVA_TIMEOUT_MS,
  )

  test(
    'reads the batches built here, of every codec and past the block sizes of each',
    async () => {
      const file = join(directory, '00000000000000000000.log')
      // 400 KB: many Snappy blocks, and more than the smallest LZ4 block. The short batch takes the codecs' smallest frames.
      const long: NewRecord[] = Array.from({ length: 4000 }, (_, index) => ({
        key: utf8(`k${index}`),
        value: utf8(`${index * 2_654_435} `.repeat(12)),
        headers: [{ key: 'ü', value: null }],
        timestampMs: BASE_TIMESTAMP - index,
      }))
      const short: NewRecord[] = [{ key: null, value: utf8('short') }]
      let baseOffset = 100
      const parts = CODECS.flatMap((codec) =>
        [long, short].map((records) => {
          const part = buildBatch(
            { records, codec, baseOffset, leaderEpoch: 4, baseTimestampMs: BASE_TIMESTAMP },
            compute,
          )
          baseOffset += records.length
          return part
        }),
      )
      writeFileSync(file, Buffer.concat(parts))
      const args = ['--print-data-log', '--deep-iteration', '--files', file]
      const stdout = await java.output('org.apache.kafka.tools.DumpLogSegments', args)
      const lines = stdout.split('\n')
      const batchLines = lines.filter((line) => line.startsWith('baseOffset:'))
      expect(batchLines.map((line) => /compresscodec: (\w+)/.exec(line)?.[1])).toEqual(
        CODECS.flatMap((codec) => [codec, codec]),
      )
      expect(batchLines.filter((line) => !line.includes('isvalid: true'))).toEqual([])
      const offsets = lines.map((line) => /^\| offset: (\d+)/.exec(line)?.[1]).filter((offset) => offset !== undefined)
      expect(offsets.map(Number)).toEqual(Array.from({ length: baseOffset - 100 }, (_, index) => 100 + index))
      expect(lines.filter((line) => line.endsWith('payload: short'))).toHaveLength(CODECS.length)
      expect(
        lines.filter((line) => line.includes(`payload: ${`${3999 * 2_654_435} `.repeat(12)}`.trimEnd())),
      ).toHaveLength(CODECS.length)
    },
    JAVA_TIMEOUT_MS,
  )
})
