import { expect, test } from '@jest/globals'
import { Surveys } from '../../../operator/alerts/surveys.ts'
import { conditionsOf } from '../../../operator/api/conditions.ts'
import type { KafkaCluster } from '../../../operator/api/resource.ts'
import type { Survey } from '../../../operator/kafka/survey.ts'
import { SurveyWatch } from '../../../operator/survey-watch.ts'
import { SimClock } from '../../fakes/clock.ts'
import { kafkaCluster } from '../../fakes/operator.ts'

const KEY = 'kafka/orders'
const PAUSE_MS = 120_000
const WELL: Survey = { logDirs: [], activeControllers: [0], silent: [], groups: [] }

function watching() {
  const clock = new SimClock()
  const conditions = conditionsOf({ state: 'ready', reason: 'Ready', message: '' }, 1, undefined, 0)
  const state = {
    cluster: { ...kafkaCluster(), status: { conditions } } as KafkaCluster | undefined,
    told: WELL as Survey | null,
    takesMs: 1,
  }
  const woken: string[] = []
  const surveys = new Surveys()
  const watch = new SurveyWatch(
    { pauseMs: PAUSE_MS },
    {
      clock,
      surveys,
      clusterOf: () => state.cluster,
      survey: async () => {
        clock.advance(state.takesMs)
        return state.told
      },
      wake: (key) => void woken.push(key),
    },
  )
  return { state, woken, surveys, survey: () => watch.reconcile(KEY) }
}

test('a cluster is woken when something else is told of it, and only then', async () => {
  const { state, woken, survey } = watching()
  await survey()
  await survey()
  expect(woken).toEqual([KEY])
  state.told = { ...WELL, activeControllers: [0, 1] }
  await survey()
  expect(woken).toEqual([KEY, KEY])
})

test('surveys that take long are made less often', async () => {
  const { state, survey } = watching()
  expect(await survey()).toEqual({ requeueAfterMs: PAUSE_MS })
  state.takesMs = 10_000
  expect(await survey()).toEqual({ requeueAfterMs: 500_000 })
})

test('who does not answer has told nothing else', async () => {
  const { state, surveys, survey } = watching()
  await survey()
  const before = surveys.conditionsOf(KEY)
  state.told = null
  await survey()
  expect(surveys.conditionsOf(KEY)).toBe(before)
})

test('a cluster that is gone, or does not serve, is asked nothing, and one that is gone forgotten', async () => {
  const { state, surveys, survey } = watching()
  await survey()
  state.cluster = kafkaCluster()
  expect(await survey()).toEqual({})
  expect(surveys.conditionsOf(KEY)).not.toEqual([])
  state.cluster = undefined
  expect(await survey()).toEqual({})
  expect(surveys.conditionsOf(KEY)).toEqual([])
})
