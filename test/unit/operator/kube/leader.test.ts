import { expect, test } from '@jest/globals'
import { LEASE } from '../../../../operator/api/resource.ts'
import type { Resource } from '../../../../operator/api/resource.ts'
import { KubeError } from '../../../../operator/kube/api.ts'
import type { KubeApi } from '../../../../operator/kube/api.ts'
import { LEADER_DEFAULTS, LeaderElection } from '../../../../operator/kube/leader.ts'
import { FakeKube } from '../../../fakes/kube.ts'
import { operatorWorld } from '../../../fakes/operator.ts'

type World = ReturnType<typeof operatorWorld>
type LeaseObject = Resource & { spec: { holderIdentity: string; leaseTransitions: number } }

interface Parts {
  readonly apiFor?: (signal: AbortSignal) => KubeApi
  readonly lead?: (signal: AbortSignal) => Promise<void>
}

function candidate(world: World, identity: string, log: string[], parts: Parts = {}) {
  const options = { namespace: 'ops', name: 'ottla-operator', identity, ...LEADER_DEFAULTS }
  const stop = new AbortController()
  const lead = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      log.push(`${identity} leads`)
      signal.addEventListener('abort', () => {
        log.push(`${identity} stops`)
        resolve()
      })
    })
  const { apiFor = () => world.api } = parts
  const running = new LeaderElection(options, { ...world, apiFor }).run(parts.lead ?? lead, stop.signal)
  return { stop, running }
}

const leaseOf = ({ api }: World) => api.peek<LeaseObject>(LEASE, 'ops', 'ottla-operator')

test('of two candidates one leads, for as long as it renews', async () => {
  const world = operatorWorld()
  const log: string[] = []
  const a = candidate(world, 'a', log)
  await world.clock.run(10)
  const b = candidate(world, 'b', log)
  await world.clock.run(10 * 60_000)
  expect(log).toEqual(['a leads'])
  b.stop.abort()
  a.stop.abort()
  await world.clock.run(10)
  expect(await a.running).toBe('ended')
  expect(await b.running).toBe('ended')
})

test('a lease that is given back is taken at once', async () => {
  const world = operatorWorld()
  const log: string[] = []
  const a = candidate(world, 'a', log)
  await world.clock.run(10)
  const b = candidate(world, 'b', log)
  await world.clock.run(5000)
  a.stop.abort()
  await world.clock.run(2100)
  expect(log).toEqual(['a leads', 'a stops', 'b leads'])
  expect(leaseOf(world)?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 })
  b.stop.abort()
  await world.clock.run(10)
  await Promise.all([a.running, b.running])
})

test('a leader that cannot renew has stopped before the next one begins', async () => {
  const world = operatorWorld()
  const log: string[] = []
  let isCut = false
  const cut = <T>(call: () => Promise<T>): Promise<T> =>
    isCut ? Promise.reject(new KubeError(0, 'Unreachable', 'cut off')) : call()
  const api = new FakeKube()
  api.get = (type, namespace, name) => cut(() => world.api.get(type, namespace, name))
  api.create = (type, manifest) => cut(() => world.api.create(type, manifest))
  api.update = (type, manifest) => cut(() => world.api.update(type, manifest))
  const a = candidate({ ...world, api }, 'a', log)
  await world.clock.run(10)
  const b = candidate(world, 'b', log)
  await world.clock.run(30_000)
  isCut = true
  await world.clock.run(60_000)
  expect(log).toEqual(['a leads', 'a stops', 'b leads'])
  expect(await a.running).toBe('lost')
  b.stop.abort()
  await world.clock.run(10)
  await b.running
})

test('a renewal that hangs does not keep the leader', async () => {
  const world = operatorWorld()
  const log: string[] = []
  const a = candidate(world, 'a', log)
  await world.clock.run(10)
  world.api.get = () => new Promise(() => {})
  await world.clock.run(9000)
  expect(log).toEqual(['a leads'])
  await world.clock.run(4000)
  expect(log).toEqual(['a leads', 'a stops'])
  expect(await a.running).toBe('lost')
})

/** Calls that are on their way for `wayMs`, and never arrive where the signal aborts before. */
function slow(world: World, wayMs: () => number) {
  return (signal: AbortSignal): KubeApi => {
    const arrive = async (): Promise<void> => {
      signal.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      world.clock.setTimer(wayMs(), resolve)
      signal.addEventListener('abort', () => reject(new Error('broken off')))
      await promise
    }
    const api = new FakeKube()
    api.get = (type, namespace, name) => arrive().then(() => world.api.get(type, namespace, name))
    api.create = (type, manifest) => arrive().then(() => world.api.create(type, manifest))
    api.update = (type, manifest) => arrive().then(() => world.api.update(type, manifest))
    return api
  }
}

test('a renewal that is on its way when the lease is lost is broken off, and the next one leads', async () => {
  const world = operatorWorld()
  const log: string[] = []
  let wayMs = 1
  const a = candidate(world, 'a', log, { apiFor: slow(world, () => wayMs) })
  await world.clock.run(100)
  const b = candidate(world, 'b', log)
  wayMs = 20_000
  await world.clock.run(18_000)
  expect(log).toEqual(['a leads', 'a stops', 'b leads'])
  const writes = world.api.writes.length
  expect(await a.running).toBe('lost')
  await world.clock.run(1000)
  expect(world.api.writes).toHaveLength(writes)
  b.stop.abort()
  await world.clock.run(10)
  await b.running
})

test('work that does not stop does not keep one that has lost its lease', async () => {
  const world = operatorWorld()
  const log: string[] = []
  const a = candidate(world, 'a', log, { lead: () => new Promise(() => {}) })
  await world.clock.run(10)
  world.api.get = () => Promise.reject(new KubeError(0, 'Unreachable', 'cut off'))
  await world.clock.run(15_000)
  expect(await a.running).toBe('lost')
})

test('an API that does not answer does not keep one that ends', async () => {
  const world = operatorWorld()
  const log: string[] = []
  let wayMs = 1
  const leading = candidate(world, 'a', log, { apiFor: slow(world, () => wayMs) })
  const waiting = candidate(world, 'b', log, { apiFor: slow(world, () => wayMs) })
  await world.clock.run(100)
  wayMs = 60_000
  await world.clock.run(3000)
  leading.stop.abort()
  waiting.stop.abort()
  await world.clock.run(6000)
  expect(await leading.running).toBe('ended')
  expect(await waiting.running).toBe('ended')
})

test('a clock that jumps does not take the lease from its leader', async () => {
  const world = operatorWorld()
  const log: string[] = []
  const a = candidate(world, 'a', log)
  await world.clock.run(10)
  const b = candidate(world, 'b', log)
  world.clock.shiftWall(3_600_000)
  await world.clock.run(30_000)
  expect(log).toEqual(['a leads'])
  a.stop.abort()
  b.stop.abort()
  await world.clock.run(10)
  await Promise.all([a.running, b.running])
})

test('a lease that took too long to take does not lead for longer than it lasts', async () => {
  const world = operatorWorld()
  const log: string[] = []
  const api = new FakeKube()
  let isSlow = true
  api.get = (type, namespace, name) => world.api.get(type, namespace, name)
  api.update = (type, manifest) => world.api.update(type, manifest)
  api.create = async (type, manifest) => {
    const made = await world.api.create(type, manifest)
    if (isSlow) await new Promise<void>((resolve) => world.clock.setTimer(14_000, resolve))
    return made
  }
  const a = candidate({ ...world, api }, 'a', log)
  await world.clock.run(10)
  const b = candidate(world, 'b', log)
  await world.clock.run(14_100)
  isSlow = false
  api.get = () => new Promise(() => {})
  await world.clock.run(30_000)
  expect(log).toEqual(['b leads'])
  b.stop.abort()
  await world.clock.run(10)
  await b.running
  void a
})
