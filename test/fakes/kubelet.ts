import { POD, STATEFUL_SET } from '../../operator/api/resource.ts'
import type { Pod, StatefulSet } from '../../operator/cluster/kubernetes.ts'
import type { FakeKube } from './kube.ts'

/** What Kubernetes does of itself: makes the pods of StatefulSets (OnDelete) and runs them. */
export class FakeKubelet {
  readonly #api: FakeKube
  readonly #nowMs: () => number
  /** Why a pod that is made does not start (a reason of CrashLoopBackOff's kind), or null: it does, at once. */
  trouble: (pod: Pod) => string | null = () => null
  /** Whether no pod can be made of a StatefulSet: a quota, an admission that says no. */
  isRefused: (set: StatefulSet) => boolean = () => false

  constructor(api: FakeKube, nowMs: () => number = () => 0) {
    this.#api = api
    this.#nowMs = nowMs
  }

  /** Brings pods to what their StatefulSets ask for. Returns the names of those that were made. */
  run(): string[] {
    return (this.#api.all(STATEFUL_SET) as StatefulSet[]).flatMap((set) => this.#runSet(set))
  }

  pods(): Pod[] {
    return this.#api.all(POD)
  }

  /** Gives a pod another state; without a reason it is ready. */
  turn(name: string, reason: string | null): void {
    const pod = this.pods().find(({ metadata }) => metadata.name === name)
    if (pod === undefined) throw new Error(`no pod ${name}`)
    this.#api.put(POD, { ...pod, status: this.#status(reason) })
  }

  #runSet(set: StatefulSet): string[] {
    const { name, namespace = '' } = set.metadata
    const replicas = set.spec.replicas ?? 1
    this.#api.put(STATEFUL_SET, { ...set, status: { observedGeneration: set.metadata.generation ?? 1, replicas } })
    const wanted = Array.from({ length: replicas }, (_, ordinal) => `${name}-${ordinal}`)
    for (const { metadata } of this.pods()) {
      const isOurs = metadata.name.startsWith(`${name}-`) && /^\d+$/.test(metadata.name.slice(name.length + 1))
      if (isOurs && !wanted.includes(metadata.name)) this.#api.remove(POD, namespace, metadata.name)
    }
    const missing = wanted.filter((pod) => this.#api.peek(POD, namespace, pod) === null)
    if (this.isRefused(set)) return []
    for (const pod of missing) this.#make(set, pod)
    return missing
  }

  #make({ metadata: { namespace = '' }, spec: { template } }: StatefulSet, name: string): void {
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...structuredClone(template?.metadata), name, namespace },
      spec: structuredClone(template?.spec ?? {}),
    }
    this.#api.put<Pod>(POD, { ...pod, status: this.#status(this.trouble(pod)) })
  }

  #status(reason: string | null): NonNullable<Pod['status']> {
    const lastTransitionTime = new Date(this.#nowMs()).toISOString()
    const isUp = reason === null
    const ready = { type: 'Ready', status: isUp ? 'True' : 'False', lastTransitionTime }
    const state = isUp ? { running: {} } : { waiting: { reason } }
    return {
      phase: 'Running',
      conditions: [ready],
      containerStatuses: [{ name: 'kafka', ready: isUp, restartCount: isUp ? 0 : 5, state }],
    }
  }
}
