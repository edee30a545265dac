import { expect, test } from '@jest/globals'
import { placeAnnotations, placeParts } from '../../../../operator/specs/place.ts'
import { statefulSet } from '../../../../operator/specs/stateful-set.ts'
import { kafkaCluster, pool } from '../../../fakes/operator.ts'

const RACK = { rack: { topologyKey: 'zone' } }
const EXTERNAL = { listeners: [{ name: 'external', port: 9094, type: 'nodeport', tls: false }] } as const

test('only brokers that have something to learn of their place wait for it', () => {
  expect(placeAnnotations(kafkaCluster(), pool())).toEqual([])
  expect(placeParts(kafkaCluster(), pool())).toEqual({ wait: null, volumes: [], env: [], args: [] })
  expect(placeAnnotations(kafkaCluster(RACK), pool())).toEqual(['kafka.ottla.dev/rack'])
  expect(placeAnnotations(kafkaCluster(RACK), pool({ roles: ['controller'] }))).toEqual([])
})

test('the broker is started with what was waited for', () => {
  const { wait, env, args, volumes } = placeParts(kafkaCluster({ ...RACK, listeners: [...EXTERNAL.listeners] }), pool())
  expect(wait?.args).toEqual([
    'broker/await-files.js',
    '/etc/ottla-place/rack',
    '/etc/ottla-place/advertised-listeners',
  ])
  expect(args).toEqual([
    '--override',
    'broker.rack=$(RACK)',
    '--override',
    'advertised.listeners=$(ADVERTISED_LISTENERS)',
  ])
  const annotation = (fieldPath: string) => ({ fieldRef: { fieldPath } })
  expect(env).toContainEqual({ name: 'RACK', valueFrom: annotation("metadata.annotations['kafka.ottla.dev/rack']") })
  expect(JSON.stringify(volumes)).toContain("metadata.annotations['kafka.ottla.dev/advertised-listeners']")
})

test('pods of a cluster with racks are spread over them, and over machines', () => {
  const cluster = kafkaCluster(RACK)
  const options = { image: 'i', helperImage: 'i', clusterId: 'c', volumeClaims: null }
  const { spec } = statefulSet(cluster, pool(), options) as unknown as {
    spec: { template: { spec: { topologySpreadConstraints: { topologyKey: string }[] } } }
  }
  expect(spec.template.spec.topologySpreadConstraints.map(({ topologyKey }) => topologyKey)).toEqual([
    'zone',
    'kubernetes.io/hostname',
  ])
})
