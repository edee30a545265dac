import type { CommittedBatch, LeaderAndEpoch } from '../../../broker/raft/raft-types.ts'
import { hold } from '../history.ts'

/** What all that is committed below an offset comes to. */
export interface Digest {
  readonly endOffset: number
  readonly epoch: number
  readonly sum: string
}

export const NOTHING: Digest = { endOffset: 0, epoch: 0, sum: '' }

const decoder = new TextDecoder()

const A_PRIME = 0x01000193
const B_PRIME = 0x5bd1e995

/** The state behind one more committed batch. */
export function digestBehind({ sum }: Digest, batch: CommittedBatch): Digest {
  const dot = sum.indexOf('.')
  let a = sum === '' ? 1 : Number.parseInt(sum.slice(0, dot), 36)
  let b = sum === '' ? 2 : Number.parseInt(sum.slice(dot + 1), 36)
  const place = `${batch.baseOffset}-${batch.lastOffset}@${batch.epoch}`
  for (let i = 0; i < place.length; i++) {
    const code = place.charCodeAt(i)
    a = Math.imul(a ^ code, A_PRIME) >>> 0
    b = Math.imul(b ^ code, B_PRIME) >>> 0
  }
  for (const record of batch.records) {
    for (const byte of record) {
      a = Math.imul(a ^ byte, A_PRIME) >>> 0
      b = Math.imul(b ^ byte, B_PRIME) >>> 0
    }
  }
  return { endOffset: batch.lastOffset + 1, epoch: batch.epoch, sum: `${a.toString(36)}.${b.toString(36)}` }
}

/** What all nodes together have shown: what one says is committed, no other may contradict, ever. */
export class QuorumTruth {
  readonly #digests = new Map<number, string>()
  readonly #leaders = new Map<number, number>()
  readonly #values = new Map<number, string>()
  #endOffset = 0

  /** A node delivered `batch` to its listeners, and has come to `digest` with it. */
  committed(who: string, batch: CommittedBatch, digest: Digest): void {
    this.agrees(who, digest)
    for (const [i, record] of batch.records.entries()) this.#values.set(batch.baseOffset + i, decoder.decode(record))
  }

  /** A node has come to this state, record by record or with a snapshot. */
  agrees(who: string, { endOffset, epoch, sum }: Digest): void {
    const text = `${sum}@${epoch}`
    const known = this.#digests.get(endOffset)
    hold(known === undefined || known === text, `${who}: committed up to ${endOffset} is ${text}, others have ${known}`)
    this.#digests.set(endOffset, text)
    this.#endOffset = Math.max(this.#endOffset, endOffset)
  }

  /** A proposal was acknowledged: its last record got `offset`. */
  acknowledged(who: string, offset: number, value: string): void {
    const found = this.#values.get(offset)
    hold(found === value, `${who}: ${value} was acknowledged at ${offset}, committed there is ${found}`)
  }

  leads({ leaderId, epoch }: LeaderAndEpoch): void {
    if (leaderId < 0) return
    const known = this.#leaders.get(epoch)
    hold(known === undefined || known === leaderId, `epoch ${epoch} has two leaders, ${known} and ${leaderId}`)
    this.#leaders.set(epoch, leaderId)
  }

  get endOffset(): number {
    return this.#endOffset
  }
  get epochCount(): number {
    return this.#leaders.size
  }
}
