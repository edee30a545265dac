import { expect, test } from '@jest/globals'
import { Registry } from 'prom-client'
import { StrimziMetrics } from '../../../../operator/alerts/strimzi-metrics.ts'
import { kafkaCluster, kafkaTopic } from '../../../fakes/operator.ts'

async function lines(registry: Registry, name: string): Promise<string[]> {
  return (await registry.metrics()).split('\n').filter((line) => line.startsWith(`${name}{`))
}

test("reconciles are counted under Strimzi's kinds", async () => {
  const registry = new Registry()
  const metrics = new StrimziMetrics({ registry })
  metrics.reconciled('KafkaCluster', 'success', 2, false)
  metrics.reconciled('KafkaCluster', 'error', 1, true)
  metrics.reconciled('KafkaTopic', 'success', 0.5, true)
  const counts = await Promise.all(
    ['total', 'successful_total', 'failed_total', 'periodical_total', 'locked_total'].map((name) =>
      lines(registry, `strimzi_reconciliations_${name}`),
    ),
  )
  expect(counts).toEqual([
    ['strimzi_reconciliations_total{kind="Kafka"} 2', 'strimzi_reconciliations_total{kind="KafkaTopic"} 1'],
    [
      'strimzi_reconciliations_successful_total{kind="Kafka"} 1',
      'strimzi_reconciliations_successful_total{kind="KafkaTopic"} 1',
    ],
    [
      'strimzi_reconciliations_failed_total{kind="Kafka"} 1',
      'strimzi_reconciliations_failed_total{kind="KafkaTopic"} 0',
    ],
    [
      'strimzi_reconciliations_periodical_total{kind="Kafka"} 1',
      'strimzi_reconciliations_periodical_total{kind="KafkaTopic"} 1',
    ],
    [
      'strimzi_reconciliations_locked_total{kind="Kafka"} 0',
      'strimzi_reconciliations_locked_total{kind="KafkaTopic"} 0',
    ],
  ])
})

test('the longest reconcile is that since the last scrape', async () => {
  const registry = new Registry()
  const metrics = new StrimziMetrics({ registry })
  const name = 'strimzi_reconciliations_duration_seconds_max'
  metrics.reconciled('KafkaCluster', 'success', 2, false)
  metrics.reconciled('KafkaCluster', 'success', 1, false)
  expect(await lines(registry, name)).toEqual([`${name}{kind="Kafka"} 2`])
  metrics.reconciled('KafkaCluster', 'success', 1, false)
  expect(await lines(registry, name)).toEqual([`${name}{kind="Kafka"} 1`])
})

test('resources are counted by kind and namespace, of who leads', async () => {
  const registry = new Registry()
  const metrics = new StrimziMetrics({ registry })
  metrics.watch({
    clusters: () => [kafkaCluster()],
    topics: () => [kafkaTopic({}, 'a'), kafkaTopic({}, 'b')],
    rebalances: () => [],
  })
  expect(await lines(registry, 'strimzi_resources')).toEqual([
    'strimzi_resources{kind="Kafka",namespace="kafka"} 1',
    'strimzi_resources{kind="KafkaTopic",namespace="team"} 2',
  ])
  metrics.watch(null)
  expect(await lines(registry, 'strimzi_resources')).toEqual([])
})
