import { isDeepStrictEqual } from 'node:util'
import { PERSISTENT_VOLUME_CLAIM, POD, STATEFUL_SET } from '../../operator/api/resource.ts'
import type { Manifest, Resource } from '../../operator/api/resource.ts'
import { isPodReady } from '../../operator/cluster/kubernetes.ts'
import type { PersistentVolumeClaim, Pod, PodTemplate, StatefulSet } from '../../operator/cluster/kubernetes.ts'
import type { FakeKube } from '../fakes/kube.ts'
import { withoutIds } from './ids.ts'

const REVISION = 'controller-revision-hash'

/** As Kubernetes stores it. */
interface Set extends StatefulSet {
  spec: StatefulSet['spec'] & { updateStrategy?: { type?: string } }
}

/**
 * The StatefulSet controller, the kubelets and the volume provisioner of a Kubernetes: pods of StatefulSets come, are ready a tick later, go
 * when there are too many, and are made anew when somebody deletes them; claims are made for them and stay.
 */
export class FakeKubernetes {
  readonly #api: FakeKube
  readonly #nowMs: () => number

  constructor(options: { nowMs: () => number }, deps: { api: FakeKube }) {
    this.#api = deps.api
    this.#nowMs = options.nowMs
  }

  /** One round of everything. */
  tick(): void {
    for (const claim of this.#api.all(PERSISTENT_VOLUME_CLAIM)) this.#bind(claim)
    const sets = this.#api.all(STATEFUL_SET) as Set[]
    for (const set of sets) this.#reconcile(set)
    for (const pod of this.#api.all(POD) as Pod[]) this.#run(pod)
    for (const set of this.#api.all(STATEFUL_SET) as Set[]) this.#report(set)
  }

  #reconcile(set: Set): void {
    const replicas = set.spec.replicas ?? 1
    this.#adopt(set)
    const pods = this.#podsOf(set)
    for (const pod of pods) {
      if (ordinalOf(pod) >= replicas) this.#remove(pod)
    }
    for (let ordinal = 0; ordinal < replicas; ordinal++) {
      if (pods.some((pod) => ordinalOf(pod) === ordinal)) continue
      this.#claim(set, ordinal)
      this.#start(set, ordinal)
    }
    const old = pods.filter(({ metadata }) => metadata.labels?.[REVISION] !== revisionOf(set.spec.template))
    const isEverybodyReady = pods.length === replicas && pods.every(isPodReady)
    const last = old.at(-1)
    if (set.spec.updateStrategy?.type === 'RollingUpdate' && isEverybodyReady && last !== undefined) this.#remove(last)
  }

  /** Its pods that nobody owns: those of a StatefulSet that was made anew around them. */
  #adopt(set: Set): void {
    const isOfSet = ({ metadata }: Resource): boolean => metadata.name.replace(/-\d+$/, '') === set.metadata.name
    for (const pod of (this.#api.all(POD) as Pod[]).filter(isOfSet)) {
      const { name, namespace = '', ownerReferences = [] } = pod.metadata
      if (ownerReferences.length > 0) continue
      this.#api.put<Pod>(POD, { ...pod, metadata: { name, namespace, ownerReferences: [ownerIn(set)] } })
    }
  }

  #claim(set: Set, ordinal: number): void {
    for (const template of set.spec.volumeClaimTemplates ?? []) {
      const name = `${template.metadata.name}-${set.metadata.name}-${ordinal}`
      const namespace = set.metadata.namespace ?? ''
      if (this.#api.peek(PERSISTENT_VOLUME_CLAIM, namespace, name) !== null) continue
      const { labels, annotations } = template.metadata
      const metadata = { name, namespace, labels: { ...labels }, annotations: { ...annotations } }
      const { spec } = template as Manifest & PersistentVolumeClaim
      const head = { apiVersion: PERSISTENT_VOLUME_CLAIM.apiVersion, kind: PERSISTENT_VOLUME_CLAIM.kind }
      this.#api.put(PERSISTENT_VOLUME_CLAIM, { ...head, metadata, spec } as Resource)
    }
  }

  #start(set: Set, ordinal: number): void {
    const { template = {} } = set.spec
    const { name, namespace } = set.metadata
    this.#api.put<Pod>(POD, {
      apiVersion: POD.apiVersion,
      kind: POD.kind,
      metadata: {
        name: `${name}-${ordinal}`,
        namespace: namespace ?? '',
        labels: { ...template.metadata?.labels, [REVISION]: revisionOf(template) },
        annotations: { ...template.metadata?.annotations },
        ownerReferences: [ownerIn(set)],
      },
      spec: { ...template.spec, nodeName: `node${ordinal % 3}` },
      status: { phase: 'Pending' },
    })
  }

  #run(pod: Pod): void {
    if (isPodReady(pod)) return
    const isUp = pod.status?.phase === 'Running'
    const lastTransitionTime = new Date(this.#nowMs()).toISOString()
    const conditions = [{ type: 'Ready', status: isUp ? 'True' : 'False', lastTransitionTime }]
    const containerStatuses = [{ name: 'kafka', ready: isUp, restartCount: 0, state: { running: {} } }]
    this.#api.put<Pod>(POD, { ...pod, status: { phase: 'Running', conditions, containerStatuses } })
  }

  /** A claim is bound, and as large as it asks to be. */
  #bind(claim: Resource): void {
    const { namespace = '', name } = claim.metadata
    const { spec } = claim as PersistentVolumeClaim
    const status = { phase: 'Bound', capacity: spec?.resources?.requests ?? {} }
    if (isDeepStrictEqual((claim as PersistentVolumeClaim).status, status)) return
    this.#api.put(PERSISTENT_VOLUME_CLAIM, { ...claim, metadata: { name, namespace }, status } as Resource)
  }

  #report(set: Set): void {
    const pods = this.#podsOf(set)
    const updateRevision = revisionOf(set.spec.template)
    const updated = pods.filter(({ metadata }) => metadata.labels?.[REVISION] === updateRevision)
    const before = set.status?.currentRevision ?? updateRevision
    const status = {
      observedGeneration: set.metadata.generation ?? 1,
      replicas: pods.length,
      readyReplicas: pods.filter(isPodReady).length,
      updatedReplicas: updated.length,
      currentRevision: updated.length === pods.length ? updateRevision : before,
      updateRevision,
    }
    if (isDeepStrictEqual(set.status, status)) return
    const { name, namespace = '' } = set.metadata
    this.#api.put(STATEFUL_SET, { ...set, metadata: { name, namespace }, status } as Resource)
  }

  #remove({ metadata }: Pod): void {
    this.#api.remove(POD, metadata.namespace ?? '', metadata.name)
  }

  #podsOf(set: Set): Pod[] {
    const mine = (pod: Pod): boolean => pod.metadata.ownerReferences?.[0]?.uid === set.metadata.uid
    return (this.#api.all(POD) as Pod[]).filter(mine).sort((a, b) => ordinalOf(a) - ordinalOf(b))
  }
}

function ownerIn({ metadata: { name, uid = '' } }: Set) {
  return { apiVersion: STATEFUL_SET.apiVersion, kind: STATEFUL_SET.kind, name, uid, controller: true }
}

/** The number at the end of a pod's name. */
export function ordinalOf({ metadata }: Resource): number {
  return Number(metadata.name.slice(metadata.name.lastIndexOf('-') + 1))
}

const NO_TEMPLATE: PodTemplate = {}
/** Asked for all the time; what is stored is replaced, never changed. */
const REVISIONS = new WeakMap<PodTemplate, string>()

/** The same for the same template. */
function revisionOf(template: PodTemplate = NO_TEMPLATE): string {
  const known = REVISIONS.get(template) ?? hashOf(withoutIds(JSON.stringify(template)))
  REVISIONS.set(template, known)
  return known
}

function hashOf(text: string): string {
  let hash = 0
  for (const character of text) hash = (hash * 31 + character.charCodeAt(0)) >>> 0
  return hash.toString(36)
}
