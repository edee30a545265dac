import { expect, test } from '@jest/globals'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import type { RaftNode } from '../../../broker/raft/raft-node.ts'
import { SimWorld } from '../../fakes/env.ts'
import { RaftWire } from '../../sim/raft/wire.ts'

/** A process on `a` has asked one on `b`, whose answer takes a few milliseconds; what it came to is in `outcomes`. */
function asked() {
  const world = new SimWorld({ seed: 1 })
  const [a, b] = [world.machine('a'), world.machine('b')]
  a.start()
  b.start()
  const wire = new RaftWire({ served: () => {} }, { world })
  if (a.clock === undefined || b.clock === undefined) throw new Error('no process')
  wire.attach({ host: 'b', clock: b.clock, node: {} as RaftNode })
  const transport = wire.transport('a', a.clock)
  const software = { clientSoftwareName: 'a', clientSoftwareVersion: '1' }
  const outcomes: string[] = []
  transport.request({ host: 'b', port: 1 }, ApiKey.ApiVersions, software, 1000).then(
    () => outcomes.push('answered'),
    (error: unknown) => outcomes.push(String(error)),
  )
  return { world, wire, a, b, outcomes }
}

test('an answer comes', async () => {
  const { world, outcomes } = asked()
  await world.clock.run(100)
  expect(outcomes).toEqual(['answered'])
})

test('an answer does not come to a process that was killed meanwhile', async () => {
  const { world, a, outcomes } = asked()
  a.kill()
  await world.clock.run(5000)
  expect(outcomes).toEqual([])
})

test('an answer comes to a process that was stopped once it goes on', async () => {
  const { world, a, outcomes } = asked()
  a.stopProcess()
  await world.clock.run(100)
  expect(outcomes).toEqual([])
  a.continueProcess()
  await world.clock.run(1)
  expect(outcomes).toEqual(['answered'])
})

test('who waits for a process that is gone hears that the connection broke', async () => {
  const { world, wire, b, outcomes } = asked()
  b.stopProcess()
  await world.clock.run(100)
  b.kill()
  wire.detach('b')
  await world.clock.run(100)
  expect(outcomes).toEqual(['Error: b is gone'])
})
