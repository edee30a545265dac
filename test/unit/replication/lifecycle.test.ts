import { describe, expect, test } from '@jest/globals'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import type { RequestInputOf, ResponseOf } from '../../../broker/protocol/apis.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { ControllerRequests } from '../../../broker/replication/controller-requests.ts'
import { BrokerLifecycle } from '../../../broker/replication/lifecycle.ts'
import { SimClock } from '../../fakes/clock.ts'
import { MemoryLogger } from '../../fakes/logger.ts'

type Heartbeat = RequestInputOf<typeof ApiKey.BrokerHeartbeat>

/** A controller that the test tells what to answer. */
class ScriptedController implements ControllerRequests {
  readonly heartbeats: Heartbeat[] = []
  registrations = 0
  epoch = 41n
  refusals = 0
  isFenced = false
  letsGo = false
  isReachable = true
  isQuorumLost = false
  hasSuccessors = false
  heartbeatError: ErrorCode = ErrorCode.NONE

  async request<K extends ApiKey>(key: K, body: RequestInputOf<K>): Promise<ResponseOf<K>> {
    const isRegistration = key === ApiKey.BrokerRegistration
    if (isRegistration) this.registrations++
    else this.heartbeats.push(body as Heartbeat)
    if (!this.isReachable) throw new Error('no controller')
    return (isRegistration ? this.#register() : this.#heard(body as Heartbeat)) as ResponseOf<K>
  }

  #register() {
    const errorCode = this.registrations <= this.refusals ? ErrorCode.DUPLICATE_BROKER_REGISTRATION : ErrorCode.NONE
    if (errorCode === ErrorCode.NONE) this.epoch++
    return { throttleTimeMs: 0, errorCode, brokerEpoch: this.epoch }
  }

  #heard({ wantFence, wantShutDown }: Heartbeat) {
    return {
      throttleTimeMs: 0,
      errorCode: this.heartbeatError,
      isCaughtUp: true,
      isFenced: this.isFenced || wantFence === true,
      shouldShutDown: wantShutDown === true && this.letsGo,
    }
  }
}

function bed() {
  const clock = new SimClock()
  const controller = new ScriptedController()
  const logger = new MemoryLogger()
  const lifecycle = new BrokerLifecycle(
    { brokerId: 7, heartbeatIntervalMs: 2000, requestTimeoutMs: 4500 },
    {
      controller,
      clock,
      logger,
      registration: () => ({ brokerId: 7 }),
      metadataOffset: () => 11,
      offlineLogDirs: () => ['dir'],
      cordonedLogDirs: () => ['cordoned'],
      hasSuccessors: () => controller.hasSuccessors,
      isQuorumLost: async () => controller.isQuorumLost,
    },
  )
  const join = async () => {
    await clock.runFor(lifecycle.start())
    await clock.runFor(lifecycle.ready())
  }
  return { clock, controller, logger, lifecycle, join }
}

test('a broker tells what it is doing, by the numbers of Kafka', async () => {
  const { clock, controller, lifecycle } = bed()
  const states = [lifecycle.state]
  const tell = () => states.push(lifecycle.state)
  await clock.runFor(lifecycle.start())
  tell()
  await clock.runFor(lifecycle.ready())
  tell()
  controller.isFenced = true
  await clock.run(2000)
  tell()
  const left = lifecycle.controlledShutdown(60_000)
  tell()
  controller.letsGo = true
  await clock.runFor(left)
  tell()
  expect(states).toEqual([1, 2, 3, 3, 6, 7])
})

describe('a broker that starts', () => {
  test('registers until it is taken, and then tells its epoch', async () => {
    const { clock, controller, logger, lifecycle } = bed()
    controller.refusals = 2
    await clock.runFor(lifecycle.start())
    await clock.runFor(lifecycle.ready())
    expect(controller.registrations).toBe(3)
    expect(logger.events.filter(({ level }) => level === 'warn')).toHaveLength(1)
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
    void lifecycle.start().then(async () => {
      await lifecycle.ready()
      isStarted = true
    })
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
    const { clock, controller, join } = bed()
    await join()
    const before = controller.heartbeats.length
    await clock.run(10_000)
    expect(controller.heartbeats.length - before).toBe(5)
  })

  test('wants to stay fenced until it is ready, and is told to the controller at once when it is', async () => {
    const { clock, controller, lifecycle } = bed()
    await clock.runFor(lifecycle.start())
    await clock.run(5000)
    expect(controller.heartbeats.map(({ wantFence }) => wantFence)).toEqual([true, true])
    void lifecycle.ready()
    await clock.run(1)
    expect(controller.heartbeats.at(-1)?.wantFence).toBe(false)
    expect(lifecycle.isFenced).toBe(false)
  })

  test.each(['STALE_BROKER_EPOCH', 'BROKER_ID_NOT_REGISTERED'] as const)(
    'registers again where its heartbeat is refused with %s',
    async (error) => {
      const { clock, controller, lifecycle, join } = bed()
      await join()
      controller.heartbeatError = ErrorCode[error]
      await clock.run(2000)
      controller.heartbeatError = ErrorCode.NONE
      await clock.run(1000)
      expect([lifecycle.epoch, lifecycle.isFenced]).toEqual([43, false])
      expect(controller.heartbeats.at(-1)?.brokerEpoch).toBe(43n)
    },
  )

  test('tells how far it is at once where somebody waits for it, and goes on in its interval', async () => {
    const { clock, controller, lifecycle, join } = bed()
    await join()
    const before = controller.heartbeats.length
    lifecycle.tellProgress()
    await clock.run(10)
    expect(controller.heartbeats.length - before).toBe(1)
    await clock.run(4000)
    expect(controller.heartbeats.length - before).toBe(3)
  })

  test('registers again when it has something new to tell', async () => {
    const { clock, controller, lifecycle, join } = bed()
    await join()
    lifecycle.registerAgain()
    await clock.run(10)
    expect(controller.registrations).toBe(2)
    await clock.run(5000)
    expect([controller.registrations, lifecycle.isFenced]).toEqual([2, false])
  })

  test('asks again soon where the controller has moved', async () => {
    const { clock, controller, join } = bed()
    await join()
    controller.heartbeatError = ErrorCode.NOT_CONTROLLER
    await clock.run(2000)
    const before = controller.heartbeats.length
    await clock.run(500)
    expect(controller.heartbeats.length - before).toBeGreaterThan(3)
    expect(controller.registrations).toBe(1)
  })

  test('goes on when a heartbeat is lost', async () => {
    const { clock, controller, join } = bed()
    await join()
    controller.isReachable = false
    await clock.run(4000)
    const before = controller.heartbeats.length
    controller.isReachable = true
    await clock.run(4000)
    expect(controller.heartbeats.length).toBeGreaterThan(before)
  })
})

test('log dirs that are cordoned are told once the broker follows the metadata', async () => {
  const { clock, controller, lifecycle } = bed()
  await clock.runFor(lifecycle.start())
  await clock.run(5000)
  expect(controller.heartbeats.at(-1)?.cordonedLogDirs).toBeNull()
  await clock.runFor(lifecycle.ready())
  expect(controller.heartbeats.at(-1)?.cordonedLogDirs).toEqual(['cordoned'])
})

describe('a controlled shutdown', () => {
  test('ends when the controller lets the broker go', async () => {
    const { clock, controller, lifecycle, join } = bed()
    await join()
    let isOver = false
    void lifecycle.controlledShutdown(30_000).then(() => (isOver = true))
    await clock.run(1000)
    expect([isOver, controller.heartbeats.at(-1)?.wantShutDown]).toEqual([false, true])
    controller.letsGo = true
    await clock.run(1000)
    expect(isOver).toBe(true)
  })

  test('leaves clients a second to hear of it, and is over as soon as it may be then', async () => {
    const { clock, controller, lifecycle, join } = bed()
    await join()
    controller.hasSuccessors = true
    let isOver = false
    void lifecycle.controlledShutdown(30_000).then(() => (isOver = true))
    await clock.run(10)
    controller.letsGo = true
    // What its own shutdown is to others that follow the metadata.
    lifecycle.tellProgress()
    await clock.run(980)
    expect(isOver).toBe(false)
    await clock.run(30)
    expect(isOver).toBe(true)
  })

  test('leaves nobody any time where there is no other broker to go to', async () => {
    const { clock, controller, lifecycle, join } = bed()
    await join()
    let isOver = false
    void lifecycle.controlledShutdown(30_000).then(() => (isOver = true))
    await clock.run(10)
    controller.letsGo = true
    await clock.run(20)
    expect(isOver).toBe(true)
  })

  test('of a broker that leads nothing is over at once', async () => {
    const { clock, controller, lifecycle, join } = bed()
    await join()
    Object.assign(controller, { hasSuccessors: true, letsGo: true })
    let isOver = false
    void lifecycle.controlledShutdown(30_000).then(() => (isOver = true))
    await clock.run(10)
    expect(isOver).toBe(true)
  })

  test('gives up after its time, and sends nothing more', async () => {
    const { clock, controller, lifecycle, join } = bed()
    await join()
    await clock.runFor(lifecycle.controlledShutdown(500))
    const before = controller.heartbeats.length
    await clock.run(10_000)
    expect(controller.heartbeats.length).toBe(before)
  })

  test('does not wait long for a controller that nobody reaches', async () => {
    const { clock, controller, lifecycle, join } = bed()
    await join()
    controller.isReachable = false
    let isOver = false
    void lifecycle.controlledShutdown(30_000).then(() => (isOver = true))
    await clock.run(4000)
    expect(isOver).toBe(false)
    await clock.run(2000)
    expect(isOver).toBe(true)
  })

  test('does not wait for controllers of which too few are left to decide anything', async () => {
    const { clock, controller, lifecycle, join } = bed()
    await join()
    let isOver = false
    void lifecycle.controlledShutdown(30_000).then(() => (isOver = true))
    await clock.run(1000)
    expect(isOver).toBe(false)
    controller.isQuorumLost = true
    await clock.run(300)
    expect(isOver).toBe(true)
  })

  test('of a broker that never registered is nothing', async () => {
    const { controller, lifecycle } = bed()
    await lifecycle.controlledShutdown(500)
    expect(controller.heartbeats).toEqual([])
  })
})
