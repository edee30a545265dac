import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Member, RaftCluster } from './cluster.ts'
import { values } from './harness.ts'

type Action =
  | { readonly type: 'propose' | 'heal' | 'snapshot' | 'resign' }
  | { readonly type: 'kill' | 'lose power' | 'isolate'; readonly id: number }
  | { readonly type: 'cut'; readonly id: number; readonly other: number }
  | { readonly type: 'run'; readonly ms: number }

const VOTERS = [1, 2, 3]
const ALL = [...VOTERS, 4]

/** What every node heard, in all its lives, against what everybody else did. */
class Checker {
  readonly #cluster: RaftCluster
  readonly #leaders = new Map<number, number>()
  /** What is committed, by offset, as whoever heard it first did. */
  readonly #committed = new Map<string, string>()
  readonly acknowledged: string[] = []

  constructor(cluster: RaftCluster) {
    this.#cluster = cluster
  }

  check(): void {
    for (const { recorder, node } of this.#cluster.members.values()) {
      for (const line of recorder.heard) this.#checkLine(line)
      if (node?.role === 'leader') this.#led(node.leaderAndEpoch.epoch, node.leaderAndEpoch.leaderId)
    }
  }

  #checkLine(line: string): void {
    const leader = /^leader (\d+) in epoch (\d+)$/.exec(line)
    if (leader !== null) return this.#led(Number(leader[2]), Number(leader[1]))
    const batch = /^(\d+): (.*)$/.exec(line)
    if (batch === null) return
    const [, offset = '', content = ''] = batch
    expect(this.#committed.get(offset) ?? content).toBe(content)
    this.#committed.set(offset, content)
  }

  #led(epoch: number, leaderId: number): void {
    expect(this.#leaders.get(epoch) ?? leaderId).toBe(leaderId)
    this.#leaders.set(epoch, leaderId)
  }
}

/** All that is committed, as a node's listeners know it: the last snapshot, and what came behind it. */
function known({ recorder }: Member): string[] {
  const at = recorder.heard.findLastIndex((line) => line.startsWith('snapshot'))
  const lines = recorder.heard.slice(Math.max(0, at)).filter((line) => /^(snapshot )?\d+:/.test(line))
  const names = lines.flatMap((line) => line.slice(line.indexOf(': ') + 2).split(','))
  return names.filter((name) => name !== '' && name !== 'control')
}

async function perform(cluster: RaftCluster, checker: Checker, action: Action, index: number): Promise<void> {
  switch (action.type) {
    case 'propose': {
      const leader = cluster.leader()
      const name = `p${index}`
      leader?.node?.propose(values(name)).then(
        () => checker.acknowledged.push(name),
        () => {},
      )
      return
    }
    case 'snapshot': {
      const leader = cluster.leader()
      if (leader?.node === undefined) return
      const { highWatermark, leaderAndEpoch } = leader.node
      const id = { endOffset: highWatermark, epoch: leaderAndEpoch.epoch }
      // What is committed and not delivered yet is refused.
      leader.node.createSnapshot(id, 0, values(...known(leader))).catch(() => {})
      return
    }
    case 'resign':
      void cluster.leader()?.node?.resign()
      return
    case 'heal':
      cluster.heal()
      for (const { id, node } of cluster.members.values()) if (node === undefined) await cluster.start(id)
      return
    case 'kill':
    case 'lose power':
      cluster.kill(action.id, action.type === 'kill' ? 'killed' : 'power lost')
      return
    case 'isolate':
      cluster.isolate(action.id)
      return
    case 'cut':
      cluster.cut(action.id, action.other)
      return
    default:
      await cluster.run(action.ms)
  }
}

const id = fc.constantFrom(...ALL)
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Action>({ type: 'propose' }) },
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('run' as const), ms: fc.constantFrom(1, 3, 10, 100, 1000, 3000) }),
  },
  { weight: 2, arbitrary: fc.constant<Action>({ type: 'heal' }) },
  { weight: 1, arbitrary: fc.constant<Action>({ type: 'snapshot' }) },
  { weight: 1, arbitrary: fc.constant<Action>({ type: 'resign' }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constantFrom('kill' as const, 'lose power' as const, 'isolate' as const), id }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('cut' as const), id, other: id }) },
)

test('whatever happens: one leader an epoch, nobody hears other than what is committed, and what was acknowledged is never lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.array(action, { minLength: 10, maxLength: 60 }),
      async (seed, actions) => {
        const options = { segmentBytes: 400, retention: { maxBytes: 1200, maxAgeMs: -1 }, fetchSnapshotMaxBytes: 150 }
        const cluster = new RaftCluster({ seed, voters: VOTERS, observers: [4], options })
        const checker = new Checker(cluster)
        await cluster.start()
        for (const [index, next] of actions.entries()) {
          await perform(cluster, checker, next, index)
          checker.check()
        }
        cluster.heal()
        for (const member of cluster.members.values()) if (member.node === undefined) await cluster.start(member.id)
        // An election that began before the links were back may still depose a leader.
        await cluster.run(8000)
        const leader = await cluster.untilLeader(20_000)
        await cluster.world.clock.runFor(cluster.node(leader.id).propose(values('last')), 10_000)
        await cluster.run(3000)
        checker.check()
        for (const member of cluster.members.values()) {
          expect(cluster.node(member.id).highWatermark).toBe(cluster.node(leader.id).highWatermark)
          expect(known(member).at(-1)).toBe('last')
          expect(known(member)).toEqual(expect.arrayContaining(checker.acknowledged))
          expect(known(member)).toEqual(known(leader))
        }
      },
    ),
    { numRuns: 40 },
  )
}, 60_000)
