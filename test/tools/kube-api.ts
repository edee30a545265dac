import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'
import type { Credentials } from '../../operator/kube/credentials.ts'
import { kubeconfig } from '../../operator/kube/kubeconfig.ts'
import { KubeTransport } from '../../operator/kube/transport.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/** Raw requests to an API server: without another that of `npm run kube:up`, never the one of the user's own kubeconfig. */
export class TestApi {
  readonly transport: KubeTransport
  readonly #signal = new AbortController().signal

  constructor(transport = new KubeTransport(credentialsOfTests())) {
    this.transport = transport
  }

  request<T>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T> {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const content = body === undefined ? {} : { body, contentType }
    return this.transport.json<T>({ method, path, ...content, signal: this.#signal, timeoutMs: 30_000 })
  }

  /** Applies the CRDs of this tree, and waits until they are served. */
  async installCrds(): Promise<void> {
    for (const kind of ['kafkacluster', 'kafkatopic', 'kafkarebalance']) {
      const crd = parse(readFileSync(join(ROOT, 'crds', `${kind}.yaml`), 'utf8')) as { metadata: { name: string } }
      const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`
      await this.transport.json({
        method: 'PATCH',
        path: `${path}?fieldManager=tests&force=true`,
        contentType: 'application/apply-patch+yaml',
        body: crd,
        signal: this.#signal,
        timeoutMs: 30_000,
      })
      await this.#untilEstablished(path)
    }
  }

  /** Makes a namespace of its own for a test file; returns its name. */
  async makeNamespace(prefix: string): Promise<string> {
    const body = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        generateName: `${prefix}-`,
        labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
      },
    }
    const { metadata } = await this.request<{ metadata: { name: string } }>('POST', '/api/v1/namespaces', body)
    return metadata.name
  }

  async removeNamespace(name: string): Promise<void> {
    await this.request('DELETE', `/api/v1/namespaces/${name}`)
  }

  async #untilEstablished(path: string): Promise<void> {
    interface Crd {
      status?: { conditions?: { type: string; status: string }[] }
    }
    for (;;) {
      const { status } = await this.request<Crd>('GET', path)
      if (status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True')) return
      await new Promise((wake) => setTimeout(wake, 50))
    }
  }
}

function credentialsOfTests(): Credentials {
  process.env['KUBECONFIG'] = join(ROOT, '.cache', 'kube', 'kubeconfig')
  return kubeconfig()
}
