import { expect, test } from '@jest/globals'
import { conditionsOf } from '../../../../operator/api/conditions.ts'
import type { Health } from '../../../../operator/api/conditions.ts'
import { EVENT, KAFKA_TOPIC } from '../../../../operator/api/resource.ts'
import type { KafkaTopic } from '../../../../operator/api/resource.ts'
import { isConflict } from '../../../../operator/kube/api.ts'
import { report } from '../../../../operator/kube/report.ts'
import { condition, kafkaTopic, operatorWorld } from '../../../fakes/operator.ts'

const HEALTH: Health = { state: 'stalled', reason: 'InvalidConfig', message: 'no such key' }
const STATUS = { conditions: conditionsOf(HEALTH, 1, undefined, 0) }

function reported() {
  const world = operatorWorld()
  const topic = world.api.put(KAFKA_TOPIC, kafkaTopic())
  const stored = () => world.api.peek<KafkaTopic>(KAFKA_TOPIC, 'team', 'payments')
  return { ...world, topic, stored, tell: () => report(KAFKA_TOPIC, topic, STATUS, HEALTH, world) }
}

test('what is told is in the status and in an Event', async () => {
  const { api, stored, tell } = reported()
  await tell()
  expect(condition(stored(), 'Ready')).toBe('False InvalidConfig: no such key')
  expect(api.all(EVENT)).toHaveLength(1)
})

test('an object that is gone is no error', async () => {
  const { api, tell } = reported()
  api.remove(KAFKA_TOPIC, 'team', 'payments')
  await tell()
  expect(api.all(EVENT)).toEqual([])
})

test('an object that was made anew under the same name is not told about the one before', async () => {
  const { api, stored, tell } = reported()
  api.remove(KAFKA_TOPIC, 'team', 'payments')
  api.put(KAFKA_TOPIC, kafkaTopic())
  const refusal = await tell().catch((error: unknown) => error)
  expect(isConflict(refusal)).toBe(true)
  expect(stored()?.status).toBeUndefined()
  expect(api.all(EVENT)).toEqual([])
})

test('an object that has changed otherwise is told all the same', async () => {
  const { api, topic, stored, tell } = reported()
  const annotations = { owner: 'team' }
  api.put(KAFKA_TOPIC, { ...topic, metadata: { ...topic.metadata, annotations } })
  await tell()
  expect(condition(stored(), 'Ready')).toBe('False InvalidConfig: no such key')
  expect(stored()?.metadata.annotations).toEqual(annotations)
})
