import { expect, test } from '@jest/globals'
import { durationMs } from '../../../../operator/alerts/duration.ts'
import { clusterGroup } from '../../../../operator/alerts/prometheus-rules.ts'
import { CLUSTER_RULES, OPERATOR_RULES } from '../../../../operator/alerts/rules.ts'
import { series } from '../../../../operator/alerts/selector.ts'

test('a range comes behind the matchers', () => {
  expect(series('x[5m]', ['a="b"'])).toBe('x{a="b"}[5m]')
  expect(series('x', ['a="b"', 'c="d"'])).toBe('x{a="b",c="d"}')
  expect(series('x[5m]', [])).toBe('x[5m]')
})

test('every series of a rule of one cluster is of that cluster', () => {
  const { rules } = clusterGroup({ namespace: 'ns', name: 'c' })
  for (const { expr } of rules) {
    const names = expr.match(/\b(kafka_(server|controller|log|consumergroup)_|ottla_|up\{)\w*/g) ?? []
    const selectors = expr.match(/namespace="ns",kafka_cluster="c"/g) ?? []
    expect({ expr, selectors: selectors.length }).toEqual({ expr, selectors: names.length })
  }
})

test('every alert has a name of its own, and a time', () => {
  const rules = [...CLUSTER_RULES, ...OPERATOR_RULES]
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
  for (const rule of rules) if (rule.for !== null) expect(durationMs(rule.for)).toBeGreaterThanOrEqual(0)
})

test('partitions that are under-replicated become an alert after the time of the cluster', () => {
  const { rules } = clusterGroup({ namespace: 'ns', name: 'c' }, '42s')
  expect(rules.find(({ alert }) => alert === 'KafkaUnderReplicatedPartitions')).toMatchObject({
    for: '42s',
    expr: 'sum by (namespace, kafka_cluster) (kafka_server_replicamanager_underreplicatedpartitions{namespace="ns",kafka_cluster="c"}) > 0',
  })
})
