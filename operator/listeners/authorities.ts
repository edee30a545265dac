import type { Clock } from '../../broker/env/clock.ts'
import { keyOf, SECRET } from '../api/resource.ts'
import type { KafkaCluster, Key, Resource } from '../api/resource.ts'
import { isRefusal } from '../kube/api.ts'
import type { KubeApi } from '../kube/api.ts'
import { tlsListeners } from '../specs/certificates.ts'

interface Secret extends Resource {
  /** In base64. */
  data?: Record<string, string>
}

/** As a Secret of type kubernetes.io/tls has it, where its issuer is not one that everybody knows. */
const AUTHORITY = 'ca.crt'
/** How long it is taken for granted that a Secret may not be read. */
const REFUSED_MS = 5 * 60_000

/** What clients have to trust to believe a listener's certificate: told where the operator has been given the right to read its Secret. */
export class Authorities {
  readonly #deps: { readonly api: Pick<KubeApi, 'get'>; readonly clock: Clock }
  /** When a Secret could not be read, by its cluster and name. */
  readonly #refusedMs = new Map<string, number>()

  constructor(deps: { readonly api: Pick<KubeApi, 'get'>; readonly clock: Clock }) {
    this.#deps = deps
  }

  /** PEM, by the name of the listener; those that are not known are left out. Rejects with KubeError. */
  async of(cluster: KafkaCluster): Promise<Map<string, string>> {
    const found = await Promise.all(
      tlsListeners(cluster).map(async ({ name, certificate }): Promise<[string, string][]> => {
        const pem = certificate === undefined ? null : await this.#read(cluster, certificate.secretName)
        return pem === null ? [] : [[name, pem]]
      }),
    )
    return new Map(found.flat())
  }

  /** The cluster is gone. */
  forget(cluster: Key): void {
    for (const key of this.#refusedMs.keys()) if (key.startsWith(`${cluster} `)) this.#refusedMs.delete(key)
  }

  async #read(cluster: KafkaCluster, name: string): Promise<string | null> {
    const key = `${keyOf(cluster)} ${name}`
    const nowMs = this.#deps.clock.monotonicMs()
    if (nowMs - (this.#refusedMs.get(key) ?? -Infinity) < REFUSED_MS) return null
    try {
      const secret = await this.#deps.api.get<Secret>(SECRET, cluster.metadata.namespace ?? '', name)
      this.#refusedMs.delete(key)
      const pem = Buffer.from(secret?.data?.[AUTHORITY] ?? '', 'base64').toString()
      return pem.includes('-----BEGIN CERTIFICATE-----') ? pem : null
    } catch (error) {
      if (!isRefusal(error)) throw error
      this.#refusedMs.set(key, nowMs)
      return null
    }
  }
}
