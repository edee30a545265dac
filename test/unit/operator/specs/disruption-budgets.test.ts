import { expect, test } from '@jest/globals'
import type { KafkaCluster } from '../../../../operator/api/resource.ts'
import { disruptionBudgets } from '../../../../operator/specs/disruption-budgets.ts'
import { labelsOf } from '../../../../operator/specs/labels.ts'
import { kafkaCluster, pool } from '../../../fakes/operator.ts'

interface Spec {
  readonly maxUnavailable: number
  readonly unhealthyPodEvictionPolicy: string
  readonly selector: {
    readonly matchLabels: Record<string, string>
    readonly matchExpressions?: readonly { readonly key: string; readonly operator: string }[]
  }
}

const COMBINED = pool({ name: 'nodes' })
const CONTROLLERS = pool({ name: 'controllers', roles: ['controller'] })
const BROKERS = pool({ name: 'brokers', roles: ['broker'] })

function budgets(cluster: KafkaCluster): Spec[] {
  return disruptionBudgets(cluster, { brokers: 1, controllers: 0 }).map(({ spec }) => spec as Spec)
}

function selects({ selector }: Spec, labels: Record<string, string>): boolean {
  const { matchLabels, matchExpressions = [] } = selector
  return (
    Object.entries(matchLabels).every(([label, value]) => labels[label] === value) &&
    matchExpressions.every(({ key, operator }) => operator === 'DoesNotExist' && labels[key] === undefined)
  )
}

test.each([
  ['apart', [CONTROLLERS, BROKERS], [0, 1]],
  ['together', [COMBINED], [1]],
  ['both', [COMBINED, CONTROLLERS], [1, 0]],
])('every pod has one budget, that of its role: %s', (_, pools, allowed) => {
  const cluster = kafkaCluster({ pools })
  const found = pools.map((one) => budgets(cluster).filter((budget) => selects(budget, labelsOf(cluster, one))))
  expect(found.map((list) => list.map(({ maxUnavailable }) => maxUnavailable))).toEqual(allowed.map((max) => [max]))
})

test('a pod that is not ready may always be evicted', () => {
  for (const { unhealthyPodEvictionPolicy } of budgets(kafkaCluster({ pools: [CONTROLLERS, BROKERS] }))) {
    expect(unhealthyPodEvictionPolicy).toBe('AlwaysAllow')
  }
})
