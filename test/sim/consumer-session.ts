import type { ApiKey } from '../../broker/protocol/api-key.ts'
import type { ResponseOf } from '../../broker/protocol/apis.ts'
import { ErrorCode } from '../../broker/protocol/errors.ts'

/** A consumer's side of an incremental fetch session for one partition (KIP-227), whichever broker has it. */
export class ConsumerSession {
  /** Of the partition, as told last. */
  highWatermark = 0
  #id = 0
  #epoch = 0
  #told = ''
  #isAnswered = true

  /** The session's part of a request, and whether that has to name the partition, which is wanted like this. */
  next(wanted: string): { readonly sessionId: number; readonly sessionEpoch: number; readonly isNamed: boolean } {
    if (!this.#isAnswered) this.forget()
    this.#isAnswered = false
    const isNamed = this.#epoch === 0 || wanted !== this.#told
    this.#told = wanted
    return { sessionId: this.#id, sessionEpoch: this.#epoch, isNamed }
  }

  answered({ errorCode, sessionId }: ResponseOf<typeof ApiKey.Fetch>): void {
    this.#isAnswered = true
    if (errorCode !== ErrorCode.NONE || sessionId === 0) return this.forget()
    this.#id = sessionId
    this.#epoch++
  }

  /** Begins anew with the next fetch. */
  forget(): void {
    this.#id = 0
    this.#epoch = 0
  }
}
