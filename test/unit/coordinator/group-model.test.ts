import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import type { JoinAnswer } from '../../../broker/coordinator/group/effects.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { bytes, GroupRig } from './group-rig.ts'

/** What a client of the group may do next, whatever it believes; the rig checks the rules of the state machine after each step. */
type Action =
  | {
      readonly do: 'join'
      readonly who: number
      readonly metadata: number
      readonly forget: boolean
      readonly known: boolean
    }
  | { readonly do: 'sync' | 'heartbeat' | 'leave'; readonly who: number; readonly staleBy: number }
  | { readonly do: 'ack'; readonly fails: boolean }
  | { readonly do: 'wait'; readonly ms: number }

const who = fc.nat(5)
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('join' as const),
      who,
      metadata: fc.nat(1),
      forget: fc.boolean(),
      known: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('sync' as const), who, staleBy: fc.constantFrom(0, 0, 0, 1) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('heartbeat' as const), who, staleBy: fc.constantFrom(0, 0, 1) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), who, staleBy: fc.constant(0) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('ack' as const), fails: fc.constantFrom(false, false, false, true) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(100, 1000, 5000, 20_000, 70_000) }),
  },
)

/** Clients 0 and 1 are static, the others dynamic. Each remembers the id that it was last given. */
class Clients {
  readonly rig = new GroupRig({ maxSize: 5, newMemberJoinTimeoutMs: 30_000 })
  readonly #ids = new Map<number, string>()
  readonly #joins = new Map<number, number>()

  instance(client: number): string | null {
    return client < 2 ? `i${client}` : null
  }

  act(next: Action): void {
    if (next.do === 'wait') this.rig.advance(next.ms)
    else if (next.do === 'ack') this.#ack(next.fails)
    else if (next.do === 'join') this.#join(next)
    else this.#request(next.do, next.who, next.staleBy)
    this.#learn()
  }

  #ack(fails: boolean): void {
    if (this.rig.writes.length > 0) this.rig.ack(fails ? ErrorCode.COORDINATOR_NOT_AVAILABLE : ErrorCode.NONE)
  }

  #join(next: Extract<Action, { do: 'join' }>): void {
    const memberId = next.forget ? '' : (this.#ids.get(next.who) ?? '')
    const protocols = [{ name: 'range', metadata: bytes(`${next.who}.${next.metadata}`) }]
    const groupInstanceId = this.instance(next.who)
    const timeouts = { sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 15_000 }
    this.#joins.set(
      next.who,
      this.rig.join({ memberId, groupInstanceId, protocols, needsKnownMemberId: next.known, ...timeouts }),
    )
  }

  #request(kind: 'sync' | 'heartbeat' | 'leave', client: number, staleBy: number): void {
    const memberId = this.#ids.get(client) ?? 'stranger'
    const generationId = this.rig.group.generationId - staleBy
    if (kind === 'heartbeat') this.rig.heartbeat(memberId, generationId, this.instance(client))
    else if (kind === 'leave') this.rig.leave({ memberId, groupInstanceId: this.instance(client) })
    else
      this.rig.sync(
        memberId,
        Object.fromEntries([...this.rig.group.members.keys()].map((id) => [id, id])),
        generationId,
      )
  }

  #learn(): void {
    for (const [client, reply] of this.#joins) {
      if (!this.rig.answers.has(reply)) continue
      this.#joins.delete(client)
      const answer = this.rig.joined(reply)
      if (answer.memberId !== '') this.#ids.set(client, answer.memberId)
      if (answer.errorCode === ErrorCode.UNKNOWN_MEMBER_ID || answer.memberId === '') this.#ids.delete(client)
    }
  }

  /** Joins that ended well, by generation. */
  generations(): Map<number, JoinAnswer[]> {
    const answers = [...this.rig.answers.values()].filter((each): each is JoinAnswer => 'skipAssignment' in each)
    return Map.groupBy(
      answers.filter(({ errorCode }) => errorCode === ErrorCode.NONE),
      ({ generationId }) => generationId,
    )
  }
}

const runs = fc.array(action, { minLength: 1, maxLength: 120 })

test('whatever clients do, every request is answered once and the rules of the state machine hold', () => {
  fc.assert(
    fc.property(runs, (actions) => {
      const clients = new Clients()
      for (const next of actions) clients.act(next)
      clients.rig.send({ kind: 'unload' })
      while (clients.rig.writes.length > 0) clients.rig.ack(ErrorCode.NOT_COORDINATOR)
      expect([...clients.rig.open]).toEqual([])
    }),
    { numRuns: 1500 },
  )
})

test('a generation has at most one leader that assigns, one protocol, and members that all know each other', () => {
  fc.assert(
    fc.property(runs, (actions) => {
      const clients = new Clients()
      for (const next of actions) clients.act(next)
      for (const answers of clients.generations().values()) {
        const assigning = answers.filter(
          ({ leader, memberId, skipAssignment }) => leader === memberId && !skipAssignment,
        )
        expect(new Set(assigning.map(({ memberId }) => memberId)).size).toBeLessThanOrEqual(1)
        expect(new Set(answers.map(({ protocolName }) => protocolName)).size).toBe(1)
      }
    }),
    { numRuns: 500 },
  )
})

test('when clients go quiet, the group empties', () => {
  fc.assert(
    fc.property(runs, (actions) => {
      const clients = new Clients()
      for (const next of actions) clients.act(next)
      for (let i = 0; i < 30; i++) {
        clients.rig.advance(20_000)
        while (clients.rig.writes.length > 0) clients.rig.ack()
      }
      expect([clients.rig.group.state, clients.rig.group.members.size, clients.rig.open.size]).toEqual(['Empty', 0, 0])
    }),
    { numRuns: 500 },
  )
})

test('clients that follow the protocol end up in one stable generation, each with its own assignment', () => {
  fc.assert(
    fc.property(runs, fc.integer({ min: 1, max: 4 }), (actions, count) => {
      const clients = new Clients()
      for (const next of actions) clients.act(next)
      const { rig } = clients
      for (let i = 0; i < 30; i++) {
        rig.advance(20_000)
        while (rig.writes.length > 0) rig.ack()
      }
      const ids = rig.stable(count)
      const generation = rig.group.generationId
      expect(rig.group.state).toBe('Stable')
      for (const id of ids) {
        expect(rig.heartbeat(id, generation)).toBe('NONE')
        expect(rig.assignment(rig.sync(id))).toBe(`for ${id}`)
      }
    }),
    { numRuns: 300 },
  )
})
