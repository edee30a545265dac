import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { StripedPlacer } from '../../../broker/controller/striped-placer.ts'
import type { BrokerImage } from '../../../broker/metadata/image.ts'
import { SimRandom } from '../../fakes/random.ts'
import { clusterOf } from './cluster.ts'

interface Spec {
  readonly rack?: string | null
  readonly isFenced?: boolean
}

/** Brokers 1, 2, … with these properties. */
function brokers(specs: readonly Spec[]): BrokerImage[] {
  const ids = specs.map((_, index) => index + 1)
  return [...clusterOf(ids).brokers.values()].map((broker, index) => ({ ...broker, ...specs[index] }))
}

function placed(specs: readonly Spec[], count: number, replicationFactor: number, seed = 1): number[][] {
  const placer = new StripedPlacer(brokers(specs), new SimRandom(seed))
  return Array.from({ length: count }, () => placer.place(replicationFactor))
}

function counts(ids: Iterable<number>): number[] {
  const found = new Map<number, number>()
  for (const id of ids) found.set(id, (found.get(id) ?? 0) + 1)
  return [...found.values()]
}

const SIX_IN_THREE_RACKS = ['a', 'a', 'b', 'b', 'c', 'c'].map((rack) => ({ rack }))

describe('placement', () => {
  test('the replicas of a partition are in different racks', () => {
    for (const replicas of placed(SIX_IN_THREE_RACKS, 60, 3)) {
      expect(new Set(replicas.map((id) => SIX_IN_THREE_RACKS[id - 1]?.rack)).size).toBe(3)
    }
  })

  test('leaders and replicas are spread evenly', () => {
    const partitions = placed(SIX_IN_THREE_RACKS, 60, 3)
    expect(counts(partitions.map(([leader = 0]) => leader))).toEqual(Array(6).fill(10))
    expect(counts(partitions.flat())).toEqual(Array(6).fill(30))
  })

  test('the same brokers do not always follow the same leader', () => {
    const partitions = placed(
      Array.from({ length: 4 }, () => ({})),
      40,
      2,
    )
    const followers = partitions.filter(([leader]) => leader === 1).map(([, follower]) => follower)
    expect(new Set(followers).size).toBeGreaterThan(1)
  })

  test('a rack without an unfenced broker follows', () => {
    const partitions = placed([{ rack: 'a', isFenced: true }, { rack: 'b' }], 10, 2)
    expect(partitions).toEqual(Array.from({ length: 10 }, () => [2, 1]))
  })

  test('fenced brokers are taken last', () => {
    const partitions = placed([{}, { isFenced: true }, {}, {}], 12, 3)
    expect(partitions.flat()).not.toContain(2)
  })

  test('every partition has different brokers, led by an unfenced one', () => {
    const spec = fc.record({ rack: fc.constantFrom(null, 'a', 'b', 'c'), isFenced: fc.boolean() })
    fc.assert(
      fc.property(fc.array(spec, { minLength: 1, maxLength: 8 }), fc.nat(7), fc.nat(), (specs, extra, seed) => {
        fc.pre(specs.some(({ isFenced }) => !isFenced))
        const replicationFactor = Math.min(specs.length, 1 + extra)
        for (const replicas of placed(specs, 20, replicationFactor, seed)) {
          expect(new Set(replicas).size).toBe(replicationFactor)
          expect(specs[(replicas[0] ?? 0) - 1]?.isFenced).toBe(false)
        }
      }),
    )
  })
})
