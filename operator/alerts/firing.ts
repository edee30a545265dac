import type { Condition } from '../api/conditions.ts'
import { timestamp } from '../api/conditions.ts'
import type { KafkaCluster } from '../api/resource.ts'
import { durationMs } from './duration.ts'
import { runbookOf } from './prometheus-rules.ts'
import { type AlertRule, CLUSTER_RULES, UNDER_REPLICATED_FOR } from './rules.ts'
import { CLUSTER_LABEL } from './selector.ts'

/** An alert as Alertmanager's API takes it (v2, `postableAlert`). Times are RFC 3339. */
export interface PostableAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: string
  /** In the past: resolved. */
  readonly endsAt: string
}

export interface Alerts {
  readonly alerts: readonly PostableAlert[]
  /** When something is to be said again, or for the first time, in ms from now; null: when something changes. */
  readonly againMs: number | null
}

/** How often an alert that goes on is said again. */
const REPEAT_MS = 60_000
/** Alertmanager takes an alert that is not said again for resolved after so long. An operator that is replaced is back before. */
const HOLD_MS = 5 * 60_000
/** For how long it is said that an alert is over. Alertmanager tells nobody of the end of what it never told of. */
const RESOLVED_MS = 15 * 60_000

interface Known {
  readonly rule: AlertRule
  readonly condition: Condition
  /** When the condition last changed. */
  readonly sinceMs: number
}

/**
 * What an Alertmanager is to hear of a cluster: pure, and by nothing but its conditions, so that whoever comes next says the same.
 * `conditions` are those of now; their `lastTransitionTime` counts.
 */
export function alertsOf(cluster: KafkaCluster, conditions: readonly Condition[], nowMs: number): Alerts {
  const alerts: PostableAlert[] = []
  const waits: number[] = []
  for (const known of knownOf(conditions)) {
    const { rule, condition, sinceMs } = known
    const isBad = condition.status === rule.condition?.status
    const firesMs = sinceMs + waitMs(cluster, rule)
    if (isBad && nowMs < firesMs) waits.push(firesMs - nowMs)
    else if (isBad) {
      alerts.push(postable(cluster, known, { startMs: firesMs, endMs: nowMs + HOLD_MS }))
      waits.push(REPEAT_MS)
    } else if (nowMs - sinceMs < RESOLVED_MS && condition.status !== 'Unknown') {
      alerts.push(postable(cluster, known, { startMs: sinceMs, endMs: sinceMs }))
    }
  }
  return { alerts, againMs: waits.length === 0 ? null : Math.max(1000, Math.min(...waits)) }
}

function knownOf(conditions: readonly Condition[]): Known[] {
  return CLUSTER_RULES.flatMap((rule) => {
    const condition = conditions.find(({ type }) => type === rule.condition?.type)
    return condition === undefined ? [] : [{ rule, condition, sinceMs: Date.parse(condition.lastTransitionTime) }]
  })
}

function waitMs(cluster: KafkaCluster, rule: AlertRule): number {
  return durationMs(rule.for ?? cluster.spec.alerts?.underReplicatedFor ?? UNDER_REPLICATED_FOR)
}

/** The labels are who an alert is: they must not change while it fires. */
function postable(
  cluster: KafkaCluster,
  { rule, condition }: Known,
  { startMs, endMs }: { startMs: number; endMs: number },
): PostableAlert {
  const { name, namespace = '' } = cluster.metadata
  return {
    labels: { alertname: rule.alert, severity: rule.severity, namespace, [CLUSTER_LABEL]: name },
    annotations: { summary: rule.summary, description: condition.message, runbook_url: runbookOf(rule.alert) },
    startsAt: timestamp(startMs),
    endsAt: timestamp(endMs),
  }
}
