import { existsSync, readFileSync } from 'node:fs'
import type { RequestOptions } from 'node:https'

/** Where the API server is, and who we are to it. */
export interface Credentials {
  /** `https://host:port`; null: there is none. */
  readonly server: string | null
  /** Headers, certificates and the like of one request. Asked for each time: tokens are replaced. */
  options(): Promise<RequestOptions>
}

/** Where Kubernetes puts what a pod may know (docs: "Accessing the API from within a Pod"). */
const ROOT = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Those of a pod's service account. */
class PodCredentials implements Credentials {
  readonly server: string
  readonly #root: string
  readonly #ca: string

  constructor(host: string, port: string, root: string) {
    this.server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
    this.#root = root
    this.#ca = readFileSync(`${root}/ca.crt`, 'utf8')
  }

  async options(): Promise<RequestOptions> {
    const token = readFileSync(`${this.#root}/token`, 'utf8').trim()
    return { ca: this.#ca, headers: { authorization: `Bearer ${token}` } }
  }
}

/** $KUBECONFIG, ~/.kube/config, or the pod's service account, in this order. */
export async function credentialsOf(
  env: Readonly<Record<string, string | undefined>>,
  root = ROOT,
): Promise<Credentials> {
  const { KUBECONFIG, HOME = '', KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT = '443' } = env
  const hasFile = KUBECONFIG !== undefined || existsSync(`${HOME}/.kube/config`)
  if (!hasFile && KUBERNETES_SERVICE_HOST !== undefined && existsSync(`${root}/token`)) {
    return new PodCredentials(KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT, root)
  }
  // Only here: all that a kubeconfig may ask for is most of a second to load, and 35 MB.
  const { kubeconfig } = await import('./kubeconfig.ts')
  return kubeconfig()
}
