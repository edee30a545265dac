import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestInputOf, ResponseOf } from '../protocol/apis.ts'

/** The way to the active controller, wherever it is. */
export interface ControllerRequests {
  /** Rejects where there is no controller, or none that answers in time; nobody tries again but the caller. */
  request<K extends ApiKey>(key: K, body: RequestInputOf<K>, timeoutMs?: number): Promise<ResponseOf<K>>
}
