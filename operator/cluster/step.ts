import type { ExtraCondition, Health } from '../api/conditions.ts'
import type { KafkaClusterStatus } from '../api/kafkacluster.ts'
import type { KafkaCluster, Key } from '../api/resource.ts'
import type { Applier } from '../kube/applier.ts'
import type { KafkaState, Unreachable } from '../kafka/state.ts'
import type { Observed } from './observe.ts'
import type { Plan } from './plan.ts'

/** How a cluster is found, whatever may be done about it. */
export interface FoundCluster {
  /** With the pools that are to run now, or, where nothing may be done, those that do; its status is the one that was written last. */
  readonly cluster: KafkaCluster
  /** As the user wrote it. */
  readonly asked: KafkaCluster
  readonly observed: Observed
  readonly kafka: KafkaState | Unreachable
  /** Milliseconds since 1970. */
  readonly nowMs: number
}

/** What a step goes by: what is there after the plan has been applied, and what the nodes said just before. */
export interface ClusterView extends FoundCluster {
  /** What has been applied. */
  readonly plan: Plan
  readonly applier: Applier
}

export interface StepResult {
  /** Merged into the status; a key that is undefined goes. */
  readonly status?: Partial<KafkaClusterStatus>
  /** The worst of all steps wins; null or left out: nothing to say. */
  readonly health?: Health | null
  /** A type that no step gives any more goes. */
  readonly conditions?: readonly ExtraCondition[]
  /** The soonest of all steps wins. */
  readonly requeueAfterMs?: number
  /** What the nodes say after what the step has changed: the steps that follow go by it. */
  readonly kafka?: KafkaState | Unreachable
}

/**
 * A part of what is done about a cluster once its objects are as they should be. It starts from what it sees: no progress is remembered
 * but in Kubernetes and in Kafka. Rejects only where the whole run should be tried again; the steps that follow run all the same.
 */
export interface ClusterStep {
  run(view: ClusterView): Promise<StepResult>
  /** In the place of `run` where nothing may be done about the cluster: says how it is, and changes nothing that is there. */
  tell?(found: FoundCluster): Promise<StepResult>
  /** The cluster is gone. */
  forget?(key: Key): void
}

/** `cluster` with the pools that are to run now: those that are to go stay until they are empty. Pure. */
export type EffectiveCluster = (
  cluster: KafkaCluster,
  observed: Observed,
  kafka: KafkaState | Unreachable,
) => KafkaCluster

/** What all of `results` say together; the first of equals wins. */
export function merged(base: StepResult, results: readonly StepResult[]): StepResult {
  const all = [base, ...results]
  const health = all.reduce<Health | null>((worst, result) => worse(worst, result.health ?? null), null)
  const soonest = all.flatMap(({ requeueAfterMs }) => requeueAfterMs ?? [])
  return {
    status: Object.assign({}, ...all.map(({ status }) => status ?? {})) as Partial<KafkaClusterStatus>,
    health,
    conditions: all.flatMap(({ conditions }) => conditions ?? []),
    ...(soonest.length === 0 ? {} : { requeueAfterMs: Math.min(...soonest) }),
  }
}

const BAD_TO_GOOD: readonly Health['state'][] = ['stalled', 'unknown', 'progressing', 'ready']

/** The worse of both; the first of equals. */
export function worse(a: Health | null, b: Health | null): Health | null {
  if (a === null || b === null) return a ?? b
  return BAD_TO_GOOD.indexOf(b.state) < BAD_TO_GOOD.indexOf(a.state) ? b : a
}
