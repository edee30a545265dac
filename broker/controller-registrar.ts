import type { Clock } from './env/clock.ts'
import type { MetadataImage } from './metadata/image.ts'
import { supportsControllerRegistration } from './metadata/record-versions.ts'
import { ApiKey } from './protocol/api-key.ts'
import type { RequestInputOf } from './protocol/apis.ts'
import { ErrorCode, errorName } from './protocol/errors.ts'
import type { ControllerRequests } from './replication/controller-requests.ts'
import type { Logger } from './telemetry/logger.ts'

export interface ControllerRegistrarDeps {
  readonly controller: ControllerRequests
  readonly clock: Clock
  readonly logger: Logger
  readonly image: () => MetadataImage
  readonly registration: () => RequestInputOf<typeof ApiKey.ControllerRegistration>
}

const RETRY_MS = 100

/** Sees to it that the metadata knows this incarnation of a controller, its endpoints and its features (KIP-919). */
export class ControllerRegistrar {
  readonly #options: { readonly nodeId: number; readonly incarnationId: string }
  readonly #deps: ControllerRegistrarDeps
  #isAsking = false

  constructor(options: { readonly nodeId: number; readonly incarnationId: string }, deps: ControllerRegistrarDeps) {
    this.#options = options
    this.#deps = deps
  }

  /** The metadata has changed. */
  check(): void {
    if (this.#isAsking || this.#isRegistered()) return
    this.#isAsking = true
    void this.#ask().then((isTaken) => {
      // What was taken is in one of the next images.
      this.#deps.clock.setTimer(isTaken ? RETRY_MS * 10 : RETRY_MS, () => {
        this.#isAsking = false
        this.check()
      })
    })
  }

  #isRegistered(): boolean {
    const { nodeId, incarnationId } = this.#options
    const image = this.#deps.image()
    const isPossible = supportsControllerRegistration(image.metadataVersion)
    return !isPossible || image.controllers.get(nodeId)?.incarnationId === incarnationId
  }

  async #ask(): Promise<boolean> {
    const { controller, logger, registration } = this.#deps
    try {
      const { errorCode } = await controller.request(ApiKey.ControllerRegistration, registration())
      if (errorCode === ErrorCode.NONE) return true
      logger.debug({ error: errorName(errorCode) }, 'the registration of this controller was refused; trying again')
    } catch (error) {
      logger.debug({ err: error }, 'the registration did not reach the active controller; trying again')
    }
    return false
  }
}
