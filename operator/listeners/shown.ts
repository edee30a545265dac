import type { Clock } from '../../broker/env/clock.ts'
import type { Address } from '../../broker/env/network.ts'
import type { TlsCertificate } from '../../broker/env/tls.ts'
import { keyOf } from '../api/resource.ts'
import type { KafkaCluster, Key } from '../api/resource.ts'
import { isPodReady } from '../cluster/kubernetes.ts'
import type { Pod } from '../cluster/kubernetes.ts'
import { tlsListeners } from '../specs/certificates.ts'
import { isBroker, nodeHost, nodesOf } from '../specs/nodes.ts'

/** Asks a server what it shows of itself in TLS; rejects where it does not answer. */
export type CertificateAt = (address: Address) => Promise<Pick<TlsCertificate, 'subject' | 'notAfterMs'>>

/** What a broker shows to the clients of a listener. */
export interface Shown {
  readonly listener: string
  readonly pod: string
  readonly subject: string
  readonly notAfterMs: number
}

/** How long an answer, or none, is taken to hold. */
const AGAIN_MS = 5 * 60_000

interface Known {
  /** Which pods were asked for which listeners. */
  readonly asked: string
  readonly atMs: number
  readonly shown: readonly Shown[]
}

/** The certificates of brokers as clients see them: that needs no right, and tells what has reached the brokers. */
export class ShownCertificates {
  readonly #deps: { readonly clock: Clock; readonly certificateAt: CertificateAt }
  /** Saves questions, and is no more than that. */
  readonly #known = new Map<Key, Known>()

  constructor(deps: { readonly clock: Clock; readonly certificateAt: CertificateAt }) {
    this.#deps = deps
  }

  /** Of the brokers of `cluster` that are ready and answer. */
  async of(cluster: KafkaCluster, pods: readonly Pod[]): Promise<readonly Shown[]> {
    const questions = questionsOf(cluster, pods)
    const asked = JSON.stringify(questions)
    const nowMs = this.#deps.clock.monotonicMs()
    const known = this.#known.get(keyOf(cluster))
    if (known?.asked === asked && nowMs - known.atMs < AGAIN_MS) return known.shown
    const answers = await Promise.allSettled(questions.map((question) => this.#ask(question)))
    const shown = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
    this.#known.set(keyOf(cluster), { asked, atMs: nowMs, shown })
    return shown
  }

  /** The cluster is gone. */
  forget(cluster: Key): void {
    this.#known.delete(cluster)
  }

  async #ask({ listener, pod, address }: Question): Promise<Shown> {
    const { subject, notAfterMs } = await this.#deps.certificateAt(address)
    return { listener, pod, subject, notAfterMs }
  }
}

interface Question {
  readonly listener: string
  readonly pod: string
  /** A pod that has started anew is asked anew. */
  readonly uid: string
  readonly address: Address
}

function questionsOf(cluster: KafkaCluster, pods: readonly Pod[]): Question[] {
  const ready = new Map(pods.filter(isPodReady).map(({ metadata }) => [metadata.name, metadata.uid ?? '']))
  const brokers = nodesOf(cluster).filter(({ pool, podName }) => isBroker(pool) && ready.has(podName))
  return tlsListeners(cluster).flatMap(({ name, port }) =>
    brokers.map((node) => ({
      listener: name,
      pod: node.podName,
      uid: ready.get(node.podName) ?? '',
      address: { host: nodeHost(cluster, node), port },
    })),
  )
}
