import {
  kraftVersionRecord,
  leaderChangeMessage,
  snapshotFooterRecord,
  snapshotHeaderRecord,
  votersRecord,
} from '../protocol/records/control.ts'
import { buildBatch } from '../records/build.ts'
import { controlKey, controlType, type ControlType } from '../records/control.ts'
import type { KafkaRecord, NewRecord } from '../records/record.ts'
import type { InferInput, Message } from '../schema/message.ts'
import { Reader } from '../schema/reader.ts'
import { Writer } from '../schema/writer.ts'
import { type Voter, votersOf, votersRecordOf } from './voters.ts'

function control<Out, In>(type: ControlType, schema: Message<Out, In>, value: In): NewRecord {
  const writer = new Writer(64)
  schema.encode(writer, 0, value)
  return { key: controlKey(type), value: writer.concat() }
}

export function leaderChange(leaderId: number, voters: readonly number[], votes: readonly number[]): NewRecord {
  const value: InferInput<typeof leaderChangeMessage> = {
    version: 0,
    leaderId,
    voters: voters.map((voterId) => ({ voterId })),
    grantingVoters: votes.map((voterId) => ({ voterId })),
  }
  return control('LEADER_CHANGE', leaderChangeMessage, value)
}

export function kraftVersion(version: number): NewRecord {
  return control('KRAFT_VERSION', kraftVersionRecord, { version: 0, kraftVersion: version })
}

export function kraftVoters(voters: readonly Voter[]): NewRecord {
  return control('KRAFT_VOTERS', votersRecord, votersRecordOf(voters))
}

export function snapshotHeader(lastContainedLogTimestampMs: number): NewRecord {
  const lastContainedLogTimestamp = BigInt(lastContainedLogTimestampMs)
  return control('SNAPSHOT_HEADER', snapshotHeaderRecord, { version: 0, lastContainedLogTimestamp })
}

export function snapshotFooter(): NewRecord {
  return control('SNAPSHOT_FOOTER', snapshotFooterRecord, { version: 0 })
}

export interface BatchPlace {
  readonly baseOffset: number
  readonly epoch: number
  readonly timestampMs: number
}

export function controlBatch(
  records: readonly NewRecord[],
  { baseOffset, epoch, timestampMs }: BatchPlace,
): Uint8Array {
  return buildBatch({ records, baseOffset, leaderEpoch: epoch, baseTimestampMs: timestampMs, isControl: true })
}

/** What control records say of the quorum: the last of each kind counts. */
export interface QuorumRecords {
  readonly kraftVersion: number | undefined
  readonly voters: readonly Voter[] | undefined
  /** Of a snapshot's header; undefined without one. */
  readonly lastContainedLogTimestampMs: number | undefined
  /** The snapshot is whole. */
  readonly hasFooter: boolean
}

/** Reads control records, and skips the kinds that it does not know. Throws SchemaError. */
export function readControlRecords(records: Iterable<KafkaRecord>): QuorumRecords {
  let version: number | undefined
  let voters: readonly Voter[] | undefined
  let lastContainedLogTimestampMs: number | undefined
  let hasFooter = false
  for (const { key, value } of records) {
    if (value === null) continue
    const reader = new Reader(value)
    switch (controlType(key)) {
      case 'KRAFT_VERSION':
        version = kraftVersionRecord.decode(reader, 0).kraftVersion
        break
      case 'KRAFT_VOTERS':
        voters = votersOf(votersRecord.decode(reader, 0))
        break
      case 'SNAPSHOT_HEADER':
        lastContainedLogTimestampMs = Number(snapshotHeaderRecord.decode(reader, 0).lastContainedLogTimestamp)
        break
      case 'SNAPSHOT_FOOTER':
        hasFooter = true
        break
      default:
    }
  }
  return { kraftVersion: version, voters, lastContainedLogTimestampMs, hasFooter }
}
