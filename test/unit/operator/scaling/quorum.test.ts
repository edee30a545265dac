import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import type { KafkaState, QuorumReplica } from '../../../../operator/kafka/state.ts'
import { planQuorum } from '../../../../operator/scaling/quorum-plan.ts'
import { QuorumStep } from '../../../../operator/scaling/quorum-step.ts'
import { kafkaCluster, operatorWorld, pool, quorumReplica } from '../../../fakes/operator.ts'
import { FakeScaling } from '../../../fakes/scaling.ts'
import { changed, kafka, partition, running, viewOf } from './world.ts'

type Quorum = KafkaState['quorum']
const LAGGING = 60_000

function quorum(voters: readonly QuorumReplica[], observers: readonly QuorumReplica[] = [], leaderId = 0): Quorum {
  return { leaderId, voters, observers }
}

const voters = (...ids: number[]): QuorumReplica[] => ids.map((id) => quorumReplica(id))
const wanted = (...ids: number[]): ReadonlySet<number> => new Set(ids)
const always = (): boolean => true

/** `add 3`, `remove 0 directory-of-0`, or what is waited for. */
function next(state: Quorum, ids: ReadonlySet<number>, released: (id: number) => boolean = always): string {
  const { change, waiting } = planQuorum(state, ids, released)
  if (change !== null) return `${change.kind} ${change.voter.id}`
  return waiting ?? 'nothing'
}

describe('voters follow the controllers', () => {
  test('there is nothing to do where they are the same', () => {
    expect(next(quorum(voters(0, 1, 2)), wanted(0, 1, 2))).toBe('nothing')
  })

  test('one is added once it has caught up', () => {
    const message = 'controllers 1, 2 are to become voters and have not caught up with the metadata yet'
    expect(next(quorum(voters(0)), wanted(0, 1, 2))).toBe(message)
    expect(next(quorum(voters(0), [quorumReplica(1, null), quorumReplica(2, LAGGING)]), wanted(0, 1, 2))).toBe(message)
    expect(next(quorum(voters(0), [quorumReplica(1, null), quorumReplica(2)]), wanted(0, 1, 2))).toBe('add 2')
  })

  test('others are added before those that are to go are taken out', () => {
    expect(next(quorum(voters(0, 1, 2), voters(10)), wanted(10, 11, 12))).toBe('add 10')
    expect(next(quorum(voters(0, 1, 2, 10, 11), []), wanted(10, 11, 12))).toContain('controllers 12')
    expect(next(quorum(voters(0, 1, 2, 10, 11, 12)), wanted(10, 11, 12))).toBe('remove 1')
  })

  test('of those that are to go, the one that is behind is first, and the leader last', () => {
    expect(next(quorum([...voters(0, 1, 2), quorumReplica(3, LAGGING), quorumReplica(4)]), wanted(2, 4, 1))).toBe(
      'remove 3',
    )
    expect(next(quorum(voters(0, 1)), wanted(1))).toBe('remove 0')
  })

  test('one that still has something to do is kept', () => {
    expect(next(quorum(voters(0, 1, 2)), wanted(0), (id) => id !== 1)).toBe('remove 2')
    expect(next(quorum(voters(0, 1)), wanted(0), (id) => id !== 1)).toBe('nothing')
  })

  test('one whose volume was lost is taken out, and added with its new directory', () => {
    const before = [quorumReplica(0), quorumReplica(1), quorumReplica(2, LAGGING)]
    const back = { ...quorumReplica(2), directoryId: 'another' }
    const message = 'controllers 2 are to become voters and have not caught up with the metadata yet'
    expect(next(quorum(before, [back]), wanted(0, 1, 2))).toBe('remove 2')
    expect(planQuorum(quorum(voters(0, 1), [back]), wanted(0, 1, 2), always).change?.voter.directoryId).toBe('another')
    expect(next(quorum(before, [{ ...back, lagMs: null }]), wanted(0, 1, 2))).toBe('nothing')
    expect(next(quorum(voters(0, 1), []), wanted(0, 1, 2))).toBe(message)
  })

  test('nothing is changed while too few voters are up to date', () => {
    const state = quorum([quorumReplica(0), quorumReplica(1, LAGGING), quorumReplica(2, null)], voters(3, 4))
    expect(next(state, wanted(0, 1, 2, 3, 4))).toBe('only 1 of 3 voters are up to date')
    expect(next({ ...state, leaderId: -1 }, wanted(0, 1, 2, 3, 4))).toBe('the controllers have no leader')
  })

  test('a voter is not taken out where too few of the others are up to date', () => {
    const state = quorum([...voters(0, 1), quorumReplica(2, LAGGING), quorumReplica(3, LAGGING), quorumReplica(4)])
    expect(next(state, wanted(0, 1, 2, 3, 10), () => false)).toContain('controllers 10')
    expect(
      next(quorum([...voters(0, 1, 2), quorumReplica(3, LAGGING), quorumReplica(4, LAGGING)]), wanted(0, 3, 4)),
    ).toBe('without voter 1 only 2 of 4 voters would be up to date')
  })
})

test('from any voters to any others: always a majority that is up to date, and an end', () => {
  const ids = fc.uniqueArray(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(ids, ids, fc.nat(8), (from, to, behind) => {
      const replica = (id: number): QuorumReplica => quorumReplica(id, id === behind && from.length > 2 ? LAGGING : 0)
      let current = from
      for (let step = 0; step < 20; step++) {
        const observers = to.filter((id) => !current.includes(id)).map((id) => quorumReplica(id))
        const leader = current.find((id) => id !== behind) ?? 0
        const { change } = planQuorum(quorum(current.map(replica), observers, leader), new Set(to), always)
        if (change === null) break
        const { id } = change.voter
        current = change.kind === 'add' ? [...current, id] : current.filter((other) => other !== id)
        const upToDate = current.filter((one) => replica(one).lagMs === 0).length
        expect(upToDate).toBeGreaterThan(current.length / 2)
      }
      if (!to.includes(behind)) expect(new Set(current)).toEqual(new Set(to))
    }),
  )
})

describe('the step', () => {
  const controllers = (replicas: number) => pool({ name: 'controllers', roles: ['controller'], replicas })
  const brokers = pool({ name: 'brokers', roles: ['broker'], replicas: 1 })

  function stepping() {
    const world = operatorWorld()
    const admin = new FakeScaling()
    const look = async () => kafka({ voters: [7] })
    return { admin, step: new QuorumStep({ adminOf: () => admin, events: world.events, look }) }
  }

  test('a controller that has been added becomes a voter at its own address; later steps see the voters anew', async () => {
    const { admin, step } = stepping()
    const observed = changed(running(kafkaCluster({ pools: [controllers(1), brokers] })), [controllers(3), brokers])
    const state = kafka({ voters: [0] })
    const joined = { ...state, quorum: { ...state.quorum, observers: [quorumReplica(2), quorumReplica(1000)] } }
    const result = await step.run(viewOf(observed, joined))
    expect(admin.calls).toEqual(['add 2 directory-of-2 at orders-controllers-2.orders-nodes.kafka.svc:9090'])
    expect(result.health).toMatchObject({ state: 'progressing', message: 'node 2 becomes a voter: it has caught up' })
    expect(result.kafka).toEqual(kafka({ voters: [7] }))
  })

  test('what Kafka refuses is told, and tried again', async () => {
    const { admin, step } = stepping()
    admin.failure = new Error('it is lagging behind')
    const observed = changed(running(kafkaCluster({ pools: [controllers(3), brokers] })), [controllers(1), brokers])
    const result = await step.run(viewOf(observed, kafka({ voters: [0, 1, 2] })))
    expect(result.health?.message).toBe('node 1 is a voter no more: it is to go; not yet: it is lagging behind')
    expect(result.requeueAfterMs).toBe(1000)
  })

  test('a node that is broker too stays a voter until it is empty', async () => {
    const { admin, step } = stepping()
    const observed = changed(running(kafkaCluster({ pools: [pool({ replicas: 3 })] })), [pool({ replicas: 1 })])
    const held = kafka({ voters: [0, 1, 2], partitions: [partition(0, [1, 2])] })
    await step.run(viewOf(observed, held))
    expect(admin.calls).toEqual([])
    await step.run(viewOf(observed, kafka({ voters: [0, 1, 2], partitions: [partition(0, [0, 1])] })))
    expect(admin.calls).toEqual(['remove 2 directory-of-2'])
  })
})
