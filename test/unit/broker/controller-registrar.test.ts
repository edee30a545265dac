import { expect, test } from '@jest/globals'
import { ControllerRegistrar } from '../../../broker/controller-registrar.ts'
import { MetadataImage } from '../../../broker/metadata/image.ts'
import type { ApiKey } from '../../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { ResponseOf } from '../../../broker/protocol/apis.ts'
import { SimClock } from '../../fakes/clock.ts'
import { silentLogger } from '../../fakes/logger.ts'
import { replayed } from '../controller/cluster.ts'
import { feature, record, uuid } from '../metadata/records.ts'

const MODERN = replayed([feature('metadata.version', 30)])

/** A controller 7 whose registrations are refused `refusals` times, and then taken. */
function bed(refusals = 0) {
  const state = { image: MODERN, asked: 0 }
  const clock = new SimClock()
  const request = async <K extends ApiKey>() => {
    if (state.asked++ < refusals) throw new Error('no controller')
    const registration = { controllerId: 7, incarnationId: uuid(1), zkMigrationReady: false }
    state.image = replayed([record('RegisterControllerRecord', registration)], state.image)
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null } as unknown as ResponseOf<K>
  }
  const registrar = new ControllerRegistrar(
    { nodeId: 7, incarnationId: uuid(1) },
    {
      controller: { request },
      clock,
      logger: silentLogger(),
      image: () => state.image,
      registration: () => ({ controllerId: 7 }),
    },
  )
  return { clock, state, registrar }
}

test('a controller registers until it is taken, and then no more', async () => {
  const { clock, state, registrar } = bed(2)
  registrar.check()
  await clock.run(5000)
  registrar.check()
  await clock.run(5000)
  expect(state.asked).toBe(3)
})

test('one that the metadata forgets registers again', async () => {
  const { clock, state, registrar } = bed()
  registrar.check()
  await clock.run(5000)
  state.image = MODERN
  registrar.check()
  await clock.run(5000)
  expect(state.asked).toBe(2)
})

test('a metadata.version without registrations of controllers gets none', async () => {
  const { clock, state, registrar } = bed()
  state.image = MetadataImage.EMPTY
  registrar.check()
  await clock.run(5000)
  expect(state.asked).toBe(0)
})
