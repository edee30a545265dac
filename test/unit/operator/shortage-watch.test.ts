import { expect, test } from '@jest/globals'
import type { KafkaCluster } from '../../../operator/api/resource.ts'
import { conditionsOf } from '../../../operator/api/conditions.ts'
import { ShortageWatch } from '../../../operator/shortage-watch.ts'
import { SimClock } from '../../fakes/clock.ts'
import { kafkaCluster } from '../../fakes/operator.ts'

const KEY = 'kafka/orders'
const PAUSE_MS = 5000

function watching() {
  const clock = new SimClock()
  const conditions = conditionsOf({ state: 'ready', reason: 'Ready', message: '' }, 1, undefined, 0)
  const state = {
    cluster: { ...kafkaCluster(), status: { conditions } } as KafkaCluster | undefined,
    lookMs: 1,
    shortage: '',
  }
  const woken: string[] = []
  const watch = new ShortageWatch(
    { pauseMs: PAUSE_MS },
    {
      clock,
      clusterOf: () => state.cluster,
      shortage: async () => {
        clock.advance(state.lookMs)
        return state.shortage
      },
      wake: (key) => void woken.push(key),
    },
  )
  return { state, woken, look: () => watch.reconcile(KEY) }
}

test('a cluster is woken when its shortage is another one, and only then', async () => {
  const { state, woken, look } = watching()
  await look()
  woken.length = 0
  await look()
  expect(woken).toEqual([])
  state.shortage = 't-0 1,2'
  await look()
  await look()
  expect(woken).toEqual([KEY])
  state.shortage = ''
  await look()
  expect(woken).toEqual([KEY, KEY])
})

test('looks that take long are made less often', async () => {
  const { state, look } = watching()
  expect(await look()).toEqual({ requeueAfterMs: PAUSE_MS })
  state.lookMs = 1000
  expect(await look()).toEqual({ requeueAfterMs: 50_000 })
})

test('a cluster that is gone, or does not serve, is not looked at', async () => {
  const { state, woken, look } = watching()
  state.cluster = kafkaCluster()
  expect(await look()).toEqual({})
  state.cluster = undefined
  expect(await look()).toEqual({})
  expect(woken).toEqual([])
})
