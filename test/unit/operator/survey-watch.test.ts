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
  const early = () => watch.reconcile(KEY)
  /** When it is due. */
  const survey = () => {
    clock.advance(PAUSE_MS)
    return early()
  }
  return { clock, state, woken, surveys, survey, early }
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

test('time that was spent waiting for a broker does not count', async () => {
  const { state, survey } = watching()
  state.takesMs = 10_000
  state.told = { ...WELL, silent: [1] }
  expect(await survey()).toEqual({ requeueAfterMs: PAUSE_MS })
})

test('one that takes long is not made again at once, whoever asks for it', async () => {
  const { clock, state, surveys, survey, early } = watching()
  state.takesMs = 1000
  await survey()
  const before = surveys.conditionsOf(KEY)
  clock.advance(20_000)
  expect(await early()).toEqual({ requeueAfterMs: 30_000 })
  expect(surveys.conditionsOf(KEY)).toBe(before)
  clock.advance(30_000)
  await early()
  expect(surveys.conditionsOf(KEY)).not.toBe(before)
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
