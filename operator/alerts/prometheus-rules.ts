import type { KafkaCluster, Manifest, ResourceType } from '../api/resource.ts'
import { ownedManifest } from '../specs/labels.ts'
import { programsOf } from '../specs/programs.ts'
import { type AlertRule, CLUSTER_RULES, OPERATOR_RULES, UNDER_REPLICATED_FOR } from './rules.ts'
import { type ClusterName, ofOperator } from './selector.ts'

export const PROMETHEUS_RULE: ResourceType = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PrometheusRule',
  plural: 'prometheusrules',
}

/** Where the runbooks are, one page a rule. */
const RUNBOOKS = 'https://github.com/ottla/ottla/blob/main/docs/runbooks'

/** A rule as Prometheus' rule files have it. */
export interface PrometheusAlert {
  readonly alert: string
  readonly expr: string
  readonly for: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface RuleGroup {
  readonly name: string
  readonly rules: readonly PrometheusAlert[]
}

export function runbookOf(alert: string): string {
  return `${RUNBOOKS}/${alert}.md`
}

/** For one cluster's PrometheusRule (prometheus-operator), or, with null, for any cluster. */
export function clusterGroup(cluster: ClusterName, underReplicatedFor: string = UNDER_REPLICATED_FOR): RuleGroup {
  const name = cluster === null ? 'kafka' : `kafka-${cluster.namespace}-${cluster.name}`
  return { name, rules: CLUSTER_RULES.map((rule) => prometheusAlert(rule, cluster, underReplicatedFor)) }
}

export function operatorGroup(): RuleGroup {
  return { name: 'ottla-operator', rules: OPERATOR_RULES.map((rule) => prometheusAlert(rule, null, '')) }
}

/** As `clusterGroup`, for one whose nodes have no metrics: what the operator says of it. */
export function unscrapedGroup(
  cluster: NonNullable<ClusterName>,
  underReplicatedFor: string = UNDER_REPLICATED_FOR,
): RuleGroup {
  const { name, rules } = clusterGroup(cluster, underReplicatedFor)
  return {
    name,
    rules: CLUSTER_RULES.flatMap(({ condition }, index) => {
      const rule = rules[index]
      if (rule === undefined || condition === undefined) return []
      const matching = [`type="${condition.type}"`, `status="${condition.status}"`]
      return [{ ...rule, expr: `${ofOperator(cluster, 'ottla_cluster_condition', ...matching)} > 0` }]
    }),
  }
}

/** The rules of one cluster, for the Prometheus Operator. */
export function prometheusRule(cluster: KafkaCluster): Manifest {
  const { name, namespace = '' } = cluster.metadata
  const groupOf = programsOf(cluster).hasMetrics ? clusterGroup : unscrapedGroup
  const group = groupOf({ namespace, name }, cluster.spec.alerts?.underReplicatedFor)
  return { ...ownedManifest(cluster, PROMETHEUS_RULE, `${name}-kafka`), spec: { groups: [group] } }
}

function prometheusAlert(rule: AlertRule, cluster: ClusterName, underReplicatedFor: string): PrometheusAlert {
  const { alert, severity, summary, description } = rule
  return {
    alert,
    expr: rule.expr(cluster),
    for: rule.for ?? underReplicatedFor,
    labels: { severity },
    annotations: { summary, description, runbook_url: runbookOf(alert) },
  }
}
