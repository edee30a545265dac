import { setTimeout as sleep } from 'node:timers/promises'
import { KafkaError } from '../../../../broker/client/kafka-error.ts'
import { NodeCompute } from '../../../../broker/host/compute.ts'
import { ApiKey } from '../../../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../../../broker/protocol/errors.ts'
import { batches, readRecords } from '../../../../broker/records/read.ts'
import type { Entry } from './audit.ts'
import { type ClusterView, type Leader, patiently } from './view.ts'

const LATEST = -1n
const ANSWER_MS_MAX = 10_000
const compute = new NodeCompute()

/** Every record of the topic up to the high watermarks of now, in order of partitions and offsets. */
export async function readBack(view: ClusterView, topic: string, partitions: number): Promise<Entry[]> {
  const all: Entry[] = []
  for (let partition = 0; partition < partitions; partition++)
    for (const entry of await readPartition(view, topic, partition)) all.push(entry)
  return all
}

async function readPartition(view: ClusterView, topic: string, partition: number): Promise<Entry[]> {
  const end = await patiently(() => endOf(view, topic, partition))
  const entries: Entry[] = []
  for (let offset = 0; offset < end;) {
    const records = await patiently(() => fetchFrom(view, topic, partition, offset))
    for (const batch of batches(records)) {
      if (batch.computeCrc() !== batch.crc) throw new Error(`a batch at ${batch.baseOffset} has a wrong CRC`)
      for (const { offset: at, value } of readRecords(batch, compute)) {
        const [producer = -1, sequence = -1] = new TextDecoder()
          .decode(value ?? undefined)
          .split(' ')
          .map(Number)
        if (at >= offset) entries.push({ partition, offset: at, producer, sequence })
      }
      offset = Math.max(offset, batch.nextOffset)
    }
  }
  return entries
}

/** A leader that is known, after asking for it again. */
async function leaderOf(view: ClusterView, partition: number): Promise<Leader> {
  for (;;) {
    await view.refresh()
    const leader = view.leaderOf(partition)
    if (leader !== undefined) return leader
    await sleep(50)
  }
}

async function endOf(view: ClusterView, name: string, partition: number): Promise<number> {
  const { peer } = await leaderOf(view, partition)
  const topics = [{ name, partitions: [{ partitionIndex: partition, timestamp: LATEST }] }]
  const body = { replicaId: -1, isolationLevel: 0, topics }
  const answer = await peer.request(ApiKey.ListOffsets, body, ANSWER_MS_MAX)
  const result = answer.topics[0]?.partitions[0]
  if (result?.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(result?.errorCode ?? -1)
  return Number(result.offset)
}

async function fetchFrom(view: ClusterView, topic: string, partition: number, offset: number): Promise<Uint8Array> {
  const leader = view.leaderOf(partition) ?? (await leaderOf(view, partition))
  const partitions = [{ partition, fetchOffset: BigInt(offset), partitionMaxBytes: 1 << 20 }]
  const topics = [{ topic, topicId: leader.topicId, partitions }]
  const body = {
    maxWaitMs: 500,
    minBytes: 1,
    isolationLevel: 0,
    sessionId: 0,
    topics,
    forgottenTopicsData: [],
    rackId: '',
  }
  const answer = await leader.peer.request(ApiKey.Fetch, body, ANSWER_MS_MAX)
  const result = answer.responses[0]?.partitions[0]
  const code = answer.errorCode !== ErrorCode.NONE ? answer.errorCode : (result?.errorCode ?? -1)
  if (code !== ErrorCode.NONE) {
    await view.refresh()
    throw KafkaError.fromCode(code)
  }
  return result?.records ?? new Uint8Array(0)
}
