import { describe, expect, test } from '@jest/globals'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { BrokerLifecycle, type ControllerChannel } from '../../../broker/replication/lifecycle.ts'
import { SimClock } from '../../fakes/clock.ts'
import { silentLogger } from '../../fakes/logger.ts'

type Heartbeat = Parameters<ControllerChannel['brokerHeartbeat']>[0]

/** A controller that the test tells what to answer. */
class ScriptedController implements ControllerChannel {
  readonly heartbeats: Heartbeat[] = []
  registrations = 0
  refusals = 0
  isFenced = false
  letsGo = false
  isReachable = true

  registerBroker(): ReturnType<ControllerChannel['registerBroker']> {
    this.registrations++
    if (!this.isReachable) return Promise.reject(new Error('no controller'))
    const errorCode = this.registrations <= this.refusals ? ErrorCode.DUPLICATE_BROKER_REGISTRATION : ErrorCode.NONE
    return Promise.resolve({ errorCode, brokerEpoch: 42n })
  }

  brokerHeartbeat(request: Heartbeat): ReturnType<ControllerChannel['brokerHeartbeat']> {
    this.heartbeats.push(request)
    if (!this.isReachable) return Promise.reject(new Error('no controller'))
    const shouldShutDown = request.wantShutDown && this.letsGo
    return Promise.resolve({ errorCode: ErrorCode.NONE, isFenced: this.isFenced, shouldShutDown })
  }
}

function bed() {
  const clock = new SimClock()
  const controller = new ScriptedController()
  const registration = { brokerId: 7 } as never
  const lifecycle = new BrokerLifecycle(
    { registration, heartbeatIntervalMs: 2000 },
    { controller, clock, logger: silentLogger(), metadataOffset: () => 11, offlineLogDirs: () => ['dir'] },
  )
  return { clock, controller, lifecycle }
}

describe('a broker that starts', () => {
  test('registers until it is taken, and then tells its epoch', async () => {
    const { clock, controller, lifecycle } = bed()
    controller.refusals = 2
    const started = lifecycle.start()
    await clock.runFor(started)
    expect(controller.registrations).toBe(3)
    expect(lifecycle.epoch).toBe(42)
    expect(controller.heartbeats[0]).toMatchObject({
      brokerId: 7,
      brokerEpoch: 42n,
      currentMetadataOffset: 11n,
      offlineLogDirs: ['dir'],
    })
  })

  test('goes on to register until the controller is reached', async () => {
    const { clock, controller, lifecycle } = bed()
    controller.isReachable = false
    const started = lifecycle.start()
    await clock.run(500)
    expect([lifecycle.epoch, controller.registrations > 1]).toEqual([-1, true])
    controller.isReachable = true
    await clock.runFor(started)
    expect(lifecycle.epoch).toBe(42)
  })

  test('waits until it is unfenced, and asks often meanwhile', async () => {
    const { clock, controller, lifecycle } = bed()
    controller.isFenced = true
    let isStarted = false
    void lifecycle.start().then(() => (isStarted = true))
    await clock.run(500)
    expect(isStarted).toBe(false)
    expect(controller.heartbeats.length).toBeGreaterThan(10)
    controller.isFenced = false
    await clock.run(500)
    expect(isStarted).toBe(true)
  })
})

describe('a broker that runs', () => {
  test('sends a heartbeat in every interval', async () => {
    const { clock, controller, lifecycle } = bed()
    await clock.runFor(lifecycle.start())
    await clock.run(10_000)
    expect(controller.heartbeats.length).toBe(6)
  })

  test('goes on when a heartbeat is lost', async () => {
    const { clock, controller, lifecycle } = bed()
    await clock.runFor(lifecycle.start())
    controller.isReachable = false
    await clock.run(4000)
    const before = controller.heartbeats.length
    controller.isReachable = true
    await clock.run(4000)
    expect(controller.heartbeats.length).toBeGreaterThan(before)
  })
})

describe('a controlled shutdown', () => {
  test('ends when the controller lets the broker go', async () => {
    const { clock, controller, lifecycle } = bed()
    await clock.runFor(lifecycle.start())
    let isOver = false
    void lifecycle.controlledShutdown(30_000).then(() => (isOver = true))
    await clock.run(1000)
    expect([isOver, controller.heartbeats.at(-1)?.wantShutDown]).toEqual([false, true])
    controller.letsGo = true
    await clock.run(1000)
    expect(isOver).toBe(true)
  })

  test('gives up after its time, and sends nothing more', async () => {
    const { clock, controller, lifecycle } = bed()
    await clock.runFor(lifecycle.start())
    await clock.runFor(lifecycle.controlledShutdown(500))
    const before = controller.heartbeats.length
    await clock.run(10_000)
    expect(controller.heartbeats.length).toBe(before)
  })

  test('of a broker that never registered is nothing', async () => {
    const { controller, lifecycle } = bed()
    await lifecycle.controlledShutdown(500)
    expect(controller.heartbeats).toEqual([])
  })
})
