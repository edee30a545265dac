import { expect, test } from '@jest/globals'
import { LEASE } from '../../../../operator/api/resource.ts'
import type { Resource } from '../../../../operator/api/resource.ts'
import { KubeError } from '../../../../operator/kube/api.ts'
import { LEADER_DEFAULTS, LeaderElection } from '../../../../operator/kube/leader.ts'
import { FakeKube } from '../../../fakes/kube.ts'
import { operatorWorld } from '../../../fakes/operator.ts'

type World = ReturnType<typeof operatorWorld>
type LeaseObject = Resource & { spec: { holderIdentity: string; leaseTransitions: number } }

function candidate(world: World, identity: string, log: string[]) {
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
  const running = new LeaderElection(options, world).run(lead, stop.signal)
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
  void a
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
