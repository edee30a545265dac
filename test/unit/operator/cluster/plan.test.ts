import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import type { Resource } from '../../../../operator/api/resource.ts'
import type { PersistentVolumeClaim, StatefulSet } from '../../../../operator/cluster/kubernetes.ts'
import type { Observed } from '../../../../operator/cluster/observe.ts'
import { identityOf, obstacle, plan } from '../../../../operator/cluster/plan.ts'
import { quantityBytes } from '../../../../operator/specs/quantity.ts'
import { specProblem } from '../../../../operator/specs/spec-problem.ts'
import { kafkaCluster } from '../../../fakes/operator.ts'

const IMAGES = { bundled: new Map([['4.3', 'i']]), apache: new Map([['4.3', 'a']]) }
const OPTIONS = { images: IMAGES, clusterId: 'c', kafka: { error: 'nobody' } }
const ID = 'kafka.ottla.dev/cluster-id'

function observed(change: Partial<Observed> = {}): Observed {
  return {
    cluster: kafkaCluster(),
    statefulSets: new Map(),
    pods: [],
    configMaps: [],
    claims: [],
    others: [],
    foreign: [],
    leftover: [],
    ...change,
  }
}

function claim(name: string, size: string, clusterId?: string): PersistentVolumeClaim {
  const annotations = clusterId === undefined ? {} : { [ID]: clusterId }
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'kafka', annotations },
    spec: { resources: { requests: { storage: size } } },
  }
}

function withId(clusterId: string): ReadonlyMap<string, StatefulSet> {
  const metadata = { name: 'orders-nodes', namespace: 'kafka', annotations: { [ID]: clusterId } }
  return new Map([['orders-nodes', { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec: {} }]])
}

test('a cluster without a past has no id yet', () => {
  expect(identityOf(observed())).toEqual({ clusterId: null })
})

test('the id is found in the status, the StatefulSet or the volumes', () => {
  const cluster = { ...kafkaCluster(), status: { clusterId: 'one' } }
  expect(identityOf(observed({ cluster }))).toEqual({ clusterId: 'one' })
  expect(identityOf(observed({ statefulSets: withId('one') }))).toEqual({ clusterId: 'one' })
  expect(identityOf(observed({ claims: [claim('data-0-orders-nodes-0', '1Gi', 'one')] }))).toEqual({ clusterId: 'one' })
})

test('volumes of two clusters stop everything', () => {
  const mixed = observed({ statefulSets: withId('one'), claims: [claim('data-0-orders-nodes-0', '1Gi', 'two')] })
  expect(obstacle(mixed, identityOf(mixed), IMAGES)).toMatchObject({ state: 'stalled', reason: 'ClusterIdConflict' })
})

test("somebody else's object under a name that is needed stops everything, and is named", () => {
  const blocked = obstacle(observed({ foreign: ['Service orders-nodes'] }), { clusterId: null }, IMAGES)
  expect(blocked).toMatchObject({ state: 'stalled', reason: 'NameConflict' })
  expect(blocked?.message).toContain('Service orders-nodes')
})

test('what a former cluster has left is waited for', () => {
  const blocked = obstacle(observed({ leftover: ['StatefulSet orders-nodes'] }), { clusterId: null }, IMAGES)
  expect(blocked).toMatchObject({ state: 'progressing', reason: 'Cleanup' })
})

test.each([
  [{ 'log.retention.hourz': 1 }, 'log.retention.hourz: not a key'],
  [{ 'num.io.threads': 0 }, 'num.io.threads'],
  [{ 'compression.type': 'zip' }, 'zip'],
])('a config that the broker would not start with is refused in its words: %j', (config, words) => {
  expect(specProblem(kafkaCluster({ config }))).toContain(words)
})

test('a good config has no problem', () => {
  expect(specProblem(kafkaCluster({ config: { 'log.retention.hours': 168, 'compression.type': 'lz4' } }))).toBeNull()
})

test('claims that are too small grow, larger ones and those of others are left alone', () => {
  const claims = [
    claim('data-0-orders-nodes-0', '5Gi'),
    claim('data-0-orders-nodes-1', '20Gi'),
    claim('data-0-orders-others-0', '5Gi'),
    claim('backup', '1Gi'),
  ]
  const { growClaims } = plan(observed({ claims }), OPTIONS)
  expect(growClaims).toEqual([{ name: 'data-0-orders-nodes-0', size: '10Gi' }])
})

test('whatever is there, the plan is the same each time, and of this cluster only', () => {
  const size = fc.constantFrom('1Gi', '5Gi', '10Gi', '1Ti')
  const claims = fc.array(fc.tuple(fc.constantFrom('data-0-orders-nodes-0', 'data-1-orders-nodes-0', 'x'), size))
  fc.assert(
    fc.property(claims, fc.boolean(), (list, isThere) => {
      const state = observed({
        claims: list.map(([name, storage]) => claim(name, storage)),
        statefulSets: isThere ? withId('c') : new Map<string, StatefulSet>(),
      })
      const first = plan(state, OPTIONS)
      expect(plan(state, OPTIONS)).toEqual(first)
      for (const { manifest } of first.manifests) expect(owner(manifest)).toBe('uid-of-orders')
      for (const { size: wanted } of first.growClaims) expect(wanted).toBe('10Gi')
    }),
  )
})

function owner({ metadata }: Resource): string | undefined {
  return metadata.ownerReferences?.[0]?.uid
}

test.each([
  ['10Gi', 10 * 2 ** 30],
  ['1.5G', 1.5e9],
  ['1e3', 1000],
  ['12', 12],
  ['.5Ti', 2 ** 39],
  ['+10.Gi', 10 * 2 ** 30],
  ['1e+9', 1e9],
  ['1E', 1e18],
  ['5000m', 5],
  ['1e9Gi', Number.NaN],
  ['ten', Number.NaN],
])('%s is %d bytes', (quantity, bytes) => {
  expect(quantityBytes(quantity)).toBe(bytes)
})
