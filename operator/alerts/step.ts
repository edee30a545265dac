import type { Logger } from 'pino'
import { conditionOf, conditionsOf } from '../api/conditions.ts'
import type { Condition, ExtraCondition } from '../api/conditions.ts'
import { isPaused } from '../api/paused.ts'
import { keyOf } from '../api/resource.ts'
import type { KafkaCluster, Key } from '../api/resource.ts'
import { programsOf } from '../specs/programs.ts'
import type { ClusterStep, ClusterView, FoundCluster, StepResult } from '../cluster/step.ts'
import type { Alertmanager } from './alertmanager.ts'
import { partitionCounts } from '../kafka/partition-counts.ts'
import { KAFKA_CONDITIONS, kafkaConditions } from './conditions.ts'
import { alertsOf } from './firing.ts'
import type { Monitoring } from './monitoring.ts'
import { SURVEY_CONDITIONS } from './surveys.ts'
import type { Surveys } from './surveys.ts'

interface Deps {
  readonly monitoring: Pick<Monitoring, 'apply' | 'forget'>
  readonly alertmanager: Pick<Alertmanager, 'send'>
  readonly surveys: Pick<Surveys, 'conditionsOf'>
  readonly logger: Logger
}

/** An ISR that shrinks is no change of a Kubernetes object: somebody has to look, where nobody else does. */
const LOOK_MS = 30_000
const DELIVERED = 'AlertsDelivered'

/** Says how Kafka is: in conditions, in status.partitions, to the Prometheus Operator, and to an Alertmanager. */
export class AlertStep implements ClusterStep {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  run(view: ClusterView): Promise<StepResult> {
    return this.tell(view)
  }

  async tell({ asked, cluster, kafka, nowMs }: FoundCluster): Promise<StepResult> {
    const written = cluster.status?.conditions ?? []
    const seen = 'error' in kafka ? keptOf(written, KAFKA_CONDITIONS) : kafkaConditions(cluster, kafka)
    const own = [...seen, ...this.#surveyed(asked, written), ...(await this.#monitor(asked))]
    const told = await this.#alert(asked, withTimes(written, own, nowMs), nowMs)
    const isWatched = asked.spec.alerts?.alertmanager !== undefined || !programsOf(asked).hasMetrics
    const lookMs = isWatched || own.some(({ status }) => status !== 'True') ? LOOK_MS : Infinity
    const againMs = Math.min(lookMs, told.againMs ?? Infinity)
    return {
      conditions: [...own, ...told.conditions],
      ...(againMs === Infinity ? {} : { requeueAfterMs: againMs }),
      ...('error' in kafka ? {} : { status: { partitions: partitionCounts(kafka.partitions) } }),
    }
  }

  forget(key: Key): void {
    this.#deps.monitoring.forget(key)
  }

  /** What surveys cannot tell, or not yet, is as it was. */
  #surveyed(cluster: KafkaCluster, written: readonly Condition[]): ExtraCondition[] {
    const known = this.#deps.surveys.conditionsOf(keyOf(cluster))
    const types = new Set(known.map(({ type }) => type))
    return [...known, ...keptOf(written, SURVEY_CONDITIONS).filter(({ type }) => !types.has(type))]
  }

  async #monitor(cluster: KafkaCluster): Promise<ExtraCondition[]> {
    const problem = isPaused(cluster) ? null : await this.#deps.monitoring.apply(cluster)
    if (problem === null) return []
    return [{ type: 'Monitored', status: 'False', reason: 'Refused', message: problem }]
  }

  async #alert(
    cluster: KafkaCluster,
    conditions: readonly Condition[],
    nowMs: number,
  ): Promise<{ conditions: ExtraCondition[]; againMs: number | null }> {
    const url = cluster.spec.alerts?.alertmanager?.url
    if (url === undefined) return { conditions: [], againMs: null }
    const { alerts, againMs } = alertsOf(cluster, conditions, nowMs)
    const problem = alerts.length === 0 ? null : await this.#deps.alertmanager.send(url, alerts)
    if (problem === null) return { conditions: [delivered(alerts.length)], againMs }
    // Once: a cluster is looked at as often as every second.
    if (conditionOf(cluster, DELIVERED)?.status !== 'False') {
      this.#deps.logger.warn({ key: keyOf(cluster), url, problem }, 'the Alertmanager does not take alerts')
    }
    const message = `the Alertmanager of spec.alerts does not take alerts: ${problem}`
    return { conditions: [{ type: DELIVERED, status: 'False', reason: 'NotDelivered', message }], againMs }
  }
}

function delivered(count: number): ExtraCondition {
  const message = count === 0 ? 'there is nothing to tell' : 'the Alertmanager of spec.alerts has been told'
  return { type: DELIVERED, status: 'True', reason: 'Delivered', message }
}

/** Brokers that do not answer say nothing: what was the matter before is taken to go on. */
function keptOf(written: readonly Condition[], types: ReadonlySet<string>): ExtraCondition[] {
  return written
    .filter(({ type }) => types.has(type))
    .map(({ type, status, reason, message }) => ({ type, status, reason, message }))
}

/** The conditions as they will be written: `own` of now, those of others as they were written last. */
function withTimes(written: readonly Condition[], own: readonly ExtraCondition[], nowMs: number): Condition[] {
  const health = { state: 'ready', reason: 'Ready', message: '' } as const
  const stamped = conditionsOf(health, 0, written, nowMs, own).filter(({ type }) => type !== 'Ready')
  const types = new Set(stamped.map(({ type }) => type))
  return [...stamped, ...written.filter(({ type }) => !types.has(type))]
}
