/**
 * Random messages of every API and record in every version: what is encoded here is decoded and encoded again by Apache Kafka's jars and
 * comes back byte for byte, and the other way round. `MESSAGES=100` is the full size, `SEED=n` tries other messages.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Api, requestHeaderVersion, responseHeaderVersion } from '../../../broker/protocol/api.ts'
import { APIS } from '../../../broker/protocol/apis.ts'
import { ErrorCode, isRetriable } from '../../../broker/protocol/errors.ts'
import {
  encodeMetadataRecord,
  isMetadataRecordType,
  METADATA_RECORDS,
} from '../../../broker/protocol/metadata-record.ts'
import { Reader } from '../../../broker/schema/reader.ts'
import { Writer } from '../../../broker/schema/writer.ts'
import { SimRandom } from '../../fakes/random.ts'
import { randomMessage } from '../../tools/random-message.ts'
import { describeWith } from '../../tools/requires.ts'
import { ALL_MESSAGES, type AnyMessage, versionsOf } from '../../tools/schemas.ts'
import { GENERATE, REENCODE, REENCODE_METADATA_RECORD, Reference, TABLE } from './reference.ts'

const SEED = Number(process.env['SEED'] ?? 20261121)
const MESSAGES_PER_VERSION = Number(process.env['MESSAGES'] ?? 15)
const START_MS_MAX = 15 * 60_000

function encode(message: AnyMessage, version: number, value: Record<string, unknown>): Uint8Array {
  const writer = new Writer()
  message.encode(writer, version, value)
  return writer.concat()
}

function reencode(message: AnyMessage, version: number, bytes: Uint8Array): Uint8Array {
  const reader = new Reader(bytes)
  const value = message.decode(reader, version)
  reader.end()
  return encode(message, version, value)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

describeWith(['java', 'mvn'], `the protocol against kafka-clients 4.3.1, seed ${SEED}`, () => {
  let reference: Reference
  beforeAll(async () => {
    reference = await Reference.start()
  }, START_MS_MAX)
  afterAll(() => reference.stop())

  const named = ALL_MESSAGES.map((message) => [message.name, message] as const)

  test.each(named)('%s encoded here comes back from Apache', async (name, message) => {
    const random = new SimRandom(SEED)
    for (const version of versionsOf(message)) {
      const sent = Array.from({ length: MESSAGES_PER_VERSION }, () =>
        encode(message, version, randomMessage(random, message, version)),
      )
      const answers = await Promise.all(sent.map((bytes) => reference.ask(REENCODE, name, version, bytes)))
      expect([version, ...answers.map(hex)]).toEqual([version, ...sent.map(hex)])
    }
  })

  test.each(named)('%s encoded by Apache comes back from here', async (name, message) => {
    for (const version of versionsOf(message)) {
      const seeds = Array.from({ length: MESSAGES_PER_VERSION }, (_, i) => {
        const seed = Buffer.alloc(8)
        seed.writeInt32BE(SEED, 0)
        seed.writeInt32BE(i, 4)
        return seed
      })
      const sent = await Promise.all(seeds.map((seed) => reference.ask(GENERATE, name, version, seed)))
      expect([version, ...sent.map((bytes) => hex(reencode(message, version, bytes)))]).toEqual([
        version,
        ...sent.map(hex),
      ])
    }
  })

  test('the table of APIs is that of Apache', async () => {
    const theirs = Buffer.from(await reference.ask(TABLE, 'apis', 0, new Uint8Array(0)))
      .toString()
      .trim()
    const ours = Object.values(APIS).flatMap((api: Api) =>
      Array.from({ length: api.versions.max - api.versions.min + 1 }, (_, i) => {
        const version = api.versions.min + i
        const headers = `${requestHeaderVersion(api, version)} ${responseHeaderVersion(api, version)}`
        const { key, name, forwardable, clusterAction, listeners } = api
        return [key, name, version, headers, forwardable, clusterAction, ...listeners].join(' ')
      }),
    )
    expect(ours).toEqual(theirs.split('\n'))
  })

  test('the error codes are those of Apache', async () => {
    const theirs = Buffer.from(await reference.ask(TABLE, 'errors', 0, new Uint8Array(0)))
      .toString()
      .trim()
    const ours = Object.entries(ErrorCode).map(([name, code]) => `${code} ${name} ${isRetriable(code)}`)
    expect(ours.sort()).toEqual(theirs.split('\n').sort())
  })

  test('records of the metadata log come back from Apache in their frame', async () => {
    const random = new SimRandom(SEED)
    for (const type of Object.keys(METADATA_RECORDS).filter(isMetadataRecordType)) {
      const message: AnyMessage = METADATA_RECORDS[type]
      for (const version of versionsOf(message)) {
        const value = randomMessage(random, message, version)
        const bytes = encodeMetadataRecord(type, value, version)
        const answer = await reference.ask(REENCODE_METADATA_RECORD, message.name, version, bytes)
        expect([message.name, version, hex(answer)]).toEqual([message.name, version, hex(bytes)])
      }
    }
  })
})
