import type { Clock } from '../env/clock.ts'
import { MetadataDelta } from '../metadata/delta.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { decodeMetadataRecord, encodeMetadataRecord } from '../protocol/metadata-record.ts'
import { checkBatch, inBatches } from '../raft/batch-limit.ts'
import type { NewMetadataRecord, Outcome } from './result.ts'

/** This node does not lead the quorum, or no longer: the client looks for the one that does. */
export class NotControllerError extends Error {
  readonly code = 'NOT_CONTROLLER'
  readonly errorCode = ErrorCode.NOT_CONTROLLER
}

/** What the controller needs of the quorum; RaftNode has it. */
export interface MetadataQuorum {
  /** The offset that the next proposed record gets. */
  readonly nextOffset: number
  readonly kraftVersion: number
  /** Appends the records in one batch; resolves with the last offset once they are committed and every listener has seen them. */
  propose(records: readonly Uint8Array[]): Promise<number>
  quorumInfo(): { readonly voters: readonly { readonly id: number }[] }
  /**
   * Takes the quorum to another level of kraft.version, or with `validateOnly` says whether it could go there: why not, or null.
   */
  upgradeKraftVersion(level: number, options: { readonly validateOnly: boolean }): string | null
  /** Leads no more; another node, or this one in another epoch, goes on from what is committed. Must not reject. */
  resign(): Promise<void>
}

export interface MetadataWriterDeps {
  readonly quorum: Pick<MetadataQuorum, 'nextOffset' | 'propose'>
  readonly clock: Clock
  /** The quorum took no records: this node leads no more. */
  readonly onRefused: (error: unknown) => void
}

/** Records in a batch, as many as Kafka's controller puts there. */
const BATCH_RECORDS_MAX = 10_000

/**
 * One change of the metadata after the other, each decided on an image that has all earlier ones, committed or not, and answered once it
 * is committed. Closed while this node does not lead.
 */
export class MetadataWriter {
  readonly #deps: MetadataWriterDeps
  #image: MetadataImage | null = null
  #pending: Promise<unknown> = Promise.resolve()
  #lastProposalMs = 0
  /** How often this was opened: what the quorum says of an earlier time does not concern this one. */
  #term = 0

  constructor(deps: MetadataWriterDeps) {
    this.#deps = deps
  }

  /** With all that was decided here; null while closed. */
  get image(): MetadataImage | null {
    return this.#image
  }

  /** How long nothing has been proposed, ms. */
  get idleMs(): number {
    return this.#deps.clock.monotonicMs() - this.#lastProposalMs
  }

  /** Goes on from what is committed. */
  open(image: MetadataImage): void {
    this.#term++
    this.#image = image
    this.#pending = Promise.resolve()
    this.#lastProposalMs = this.#deps.clock.monotonicMs()
  }

  /** What is not committed is forgotten, and its callers hear so from the quorum. */
  close(): void {
    this.#image = null
  }

  /**
   * Decides now, and resolves once this, or for a change of nothing all before it, is committed. Rejects with NotControllerError while
   * closed, and where the leadership is lost before: then it may be committed or not. With RecordsTooLargeError where it is more than a batch
   * can hold: nothing has changed then.
   */
  async change<R>(decide: (image: MetadataImage) => Outcome<R>): Promise<R> {
    const image = this.#image
    if (image === null) throw new NotControllerError('This node is not the active controller')
    const { records, response, isDivisible = false } = decide(image)
    if (records.length > 0) this.#pending = this.#propose(image, records, isDivisible)
    await this.#pending
    return response
  }

  #propose(before: MetadataImage, records: readonly NewMetadataRecord[], isDivisible: boolean): Promise<unknown> {
    const { quorum, clock } = this.#deps
    const encoded = records.map(({ type, value, version }) => encodeMetadataRecord(type, value, version))
    const batches = isDivisible ? inBatches(encoded, BATCH_RECORDS_MAX) : [encoded]
    for (const batch of batches) checkBatch(batch)
    const delta = new MetadataDelta(before)
    // What was encoded is what every replica will see: replaying the same bytes cannot differ from it.
    for (const bytes of encoded) delta.replay(decodeMetadataRecord(bytes))
    const offset = quorum.nextOffset + records.length - 1
    // A batch that is refused from here on leaves a log without it, and an image that has it: the term is over.
    const proposals = batches.map((batch) => Promise.try(() => quorum.propose(batch)))
    const image = delta.finish({ ...before.provenance, offset })
    this.#image = image
    this.#lastProposalMs = clock.monotonicMs()
    const term = this.#term
    return Promise.all(proposals).catch((error: unknown) => this.#refused(error, term))
  }

  #refused(cause: unknown, term: number): never {
    if (term === this.#term) this.#deps.onRefused(cause)
    throw new NotControllerError('This node is not the active controller any more', { cause })
  }
}
