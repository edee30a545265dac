import type { Manifest, ResourceType } from '../../operator/api/resource.ts'
import { KubeRest } from '../../operator/kube/rest.ts'
import type { KubeTransport } from '../../operator/kube/transport.ts'
import { flagList } from '../e2e/bed/daemon.ts'
import { buildKwok, buildPrograms } from '../e2e/bed/programs.ts'
import { TestApi } from '../tools/kube-api.ts'
import { ControlPlane } from './control-plane.ts'
import { allOf, isReady, NAMESPACE } from './rig.ts'

const NODES = 3
const CLASS = 'standard'
const VOLUME_SIZE = '10Gi'
const NODE: ResourceType = { apiVersion: 'v1', kind: 'Node', plural: 'nodes' }
const VOLUME: ResourceType = { apiVersion: 'v1', kind: 'PersistentVolume', plural: 'persistentvolumes' }
const NAMESPACES: ResourceType = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces' }
const STORAGE_CLASS: ResourceType = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', plural: 'storageclasses' }

/** A Kubernetes whose nodes are kwok's, with the CRDs of this tree: its pods become Ready and run nothing. */
export class KwokKubernetes implements AsyncDisposable {
  /** As an administrator. */
  readonly api: KubeRest
  readonly #control: ControlPlane
  readonly #transport: KubeTransport

  private constructor(control: ControlPlane, transport: KubeTransport) {
    this.#control = control
    this.#transport = transport
    this.api = new KubeRest({ signal: new AbortController().signal }, { transport })
  }

  /** `volumes`: how many there are to be claimed. What is not compiled yet is compiled. */
  static async start({ volumes }: { volumes: number }): Promise<KwokKubernetes> {
    await buildPrograms()
    const kwok = await buildKwok()
    const control = await ControlPlane.start()
    try {
      const started = new KwokKubernetes(control, await control.transport('administrator'))
      await Promise.all([
        new TestApi(started.#transport).installCrds(),
        started.api.create(NAMESPACES, manifest(NAMESPACES, NAMESPACE)),
        started.#makeNodes(kwok),
        started.#makeVolumes(volumes),
      ])
      return started
    } catch (error) {
      await control[Symbol.asyncDispose]()
      throw error
    }
  }

  get url(): string {
    return this.#control.url
  }

  /** The operator's: a directory with `ca.crt` and `token`. */
  get account(): string {
    return this.#control.account('operator')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#control[Symbol.asyncDispose]()
  }

  async #makeNodes(kwok: string): Promise<void> {
    const flags = {
      kubeconfig: this.#control.kubeconfig('administrator'),
      'manage-all-nodes': true,
      // No server: nobody asks for logs.
      'node-port': 0,
      // Without leases kwok 0.7 has a heartbeat every ten minutes, and nodes are given up after 50 s.
      'node-lease-duration-seconds': 40,
    }
    this.#control.run('kwok', kwok, flagList(flags))
    for (let index = 0; index < NODES; index++) {
      const name = `node-${index}`
      const labels = { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': `zone-${index}` }
      await this.api.create(NODE, manifest(NODE, name, { labels }))
    }
    const nodes = async () => (await this.api.list(NODE, { namespace: null })).items
    await this.#control.until('the nodes', async () => allOf('nodes Ready', await nodes(), NODES, isReady))
  }

  /** What administrators do where no driver provisions. */
  async #makeVolumes(count: number): Promise<void> {
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' }
    const binding = { provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'WaitForFirstConsumer' }
    await this.api.create(STORAGE_CLASS, { ...manifest(STORAGE_CLASS, CLASS, { annotations }), ...binding })
    const spec = {
      capacity: { storage: VOLUME_SIZE },
      accessModes: ['ReadWriteOnce'],
      storageClassName: CLASS,
      hostPath: { path: '/nothing' },
    }
    const names = Array.from({ length: count }, (_, index) => `volume-${index}`)
    await Promise.all(names.map((name) => this.api.create(VOLUME, { ...manifest(VOLUME, name), spec })))
  }
}

function manifest({ apiVersion, kind }: ResourceType, name: string, metadata: object = {}): Manifest {
  return { apiVersion, kind, metadata: { name, ...metadata } }
}
