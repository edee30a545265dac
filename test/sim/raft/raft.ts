import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { METADATA_LOG_DIRECTORY } from '../../../broker/storage/names.ts'
import type { RaftOptions } from '../../../broker/raft/raft-types.ts'
import type { RaftNode } from '../../../broker/raft/raft-node.ts'
import { NotLeaderError, type RaftApi } from '../../../broker/raft/raft-types.ts'
import { type Voter, staticVoters } from '../../../broker/raft/voters.ts'
import { batches } from '../../../broker/records/read.ts'
import { SimWorld } from '../../fakes/env.ts'
import type { SimDisk } from '../../fakes/disk.ts'
import type { SimRandom } from '../../fakes/random.ts'
import { hold } from '../history.ts'
import { type FaultName, Nemesis } from '../nemesis.ts'
import type { Simulation, Trace } from '../simulation.ts'
import { RaftMember } from './member.ts'
import { Rivalry } from './rivalry.ts'
import { QuorumTruth } from './truth.ts'
import { RaftWire } from './wire.ts'

const CLUSTER_ID = 'c2ltdWxhdGlvbi1jbHVzdA'
const LISTENER = 'CONTROLLER'
const PORT = 9093
const LOG_DIR = '/data'
const DURATION_MS = 12_000
/** In which a healed quorum has to find a leader and to agree. */
const RECOVERY_MS = 30_000

const FAULTS: readonly FaultName[] = [
  'kill',
  'kill',
  'power',
  'power',
  'restart',
  'pause',
  'isolate',
  'isolate',
  'split',
  'bridge',
  'oneWay',
  'slow',
  'wall',
  'drift',
  'slowDisk',
  'syncError',
  'full',
  'descriptors',
  'blackout',
]
/** How often a fault comes to a node that was just elected. */
const ELECTED_STRIKES = 0.15
/** How often it comes to a leader that has just changed the voters: the others may not have heard. */
const CHANGED_STRIKES = 0.5
/** How often a follower and its leader fail just when the leader has heard how far the follower has come. */
const COUPS = 0.004
/** How often, where there are voters enough, leaders fall one after the other for a time, and nothing else happens. */
const RIVALRIES = 0.4
const RIVALRY_MS = 6000
/**
 * How long, in fetch timeouts, somebody may go on to lead when another has been elected. After one and a half without a majority a leader
 * gives up; who followed just before, and one who has not heard of the other, may count as one once more.
 */
const STALE_TIMEOUTS = 4
/** How often a node fails just when it has answered. */
const BOUNCES: ReadonlyMap<RaftApi, number> = new Map([
  [ApiKey.Vote, 0.05],
  [ApiKey.Fetch, 0.002],
])

/** The metadata quorum alone: raft nodes with their disks, and requests without sockets. */
export const raftSimulation: Simulation = {
  name: 'raft',
  seedsInTests: 8,
  run: (seed, trace) => new RaftRun(seed, trace).run(),
}

class RaftRun {
  readonly #trace: Trace
  readonly #world: SimWorld
  readonly #random: SimRandom
  readonly #truth = new QuorumTruth()
  readonly #members: readonly RaftMember[]
  readonly #nemesis: Nemesis
  readonly #isDynamic: boolean
  /** At first. */
  readonly #voterCount: number
  /** How often in a step the voters are changed. */
  readonly #changes: number
  /** When somebody was first seen to lead beside another of a later epoch: by who they are. */
  readonly #staleSinceMs = new Map<RaftMember, number>()
  #rivalry: Rivalry | undefined
  #isCalm = false
  #failure: unknown
  #nextValue = 0

  constructor(seed: number, trace: Trace) {
    this.#trace = trace
    this.#world = new SimWorld({ seed, disk: { syncMsMax: 4 }, network: { delayMsMax: 5 } })
    trace.nowMs = () => this.#world.clock.monotonicMs()
    this.#random = this.#world.random.fork()
    this.#isDynamic = this.#random.chance(0.5)
    this.#changes = this.#random.pick([0.005, 0.02, 0.05])
    this.#voterCount = this.#random.pick([1, 3, 3, 3, 5])
    this.#members = this.#makeMembers()
    const random = this.#random.fork()
    const most = this.#random.between(1, 3)
    this.#nemesis = new Nemesis({ faults: FAULTS, most }, { world: this.#world, random, trace, victims: this.#members })
  }

  async run(): Promise<void> {
    for (const member of this.#members) member.start()
    await this.#rival()
    const pace = this.#random.pick([50, 100, 200, 400, 1000])
    let nextHarmMs = this.#world.clock.monotonicMs() + 1000
    while (this.#world.clock.monotonicMs() < DURATION_MS) {
      await this.#advance(this.#random.between(5, 60))
      this.#propose()
      if (this.#random.chance(this.#changes)) this.#changeQuorum()
      if (this.#world.clock.monotonicMs() < nextHarmMs) continue
      this.#nemesis.step()
      nextHarmMs = this.#world.clock.monotonicMs() + this.#random.fraction() * pace
    }
    await this.#finish()
  }

  /** Leaders fall one after the other, where the others can do without them. */
  async #rival(): Promise<void> {
    const { network, clock } = this.#world
    if (this.#voterCount < 3 || !this.#random.chance(RIVALRIES)) return
    const deps = { random: this.#random.fork(), network, trace: this.#trace, members: this.#members }
    const rivalry = new Rivalry({ voters: this.#voterCount }, deps)
    this.#rivalry = rivalry
    while (clock.monotonicMs() < RIVALRY_MS) {
      await this.#advance(this.#random.between(5, 60))
      this.#propose()
      rivalry.look()
    }
    this.#rivalry = undefined
    rivalry.end()
  }

  #makeMembers(): readonly RaftMember[] {
    const controllers = this.#voterCount
    const total = Math.min(7, controllers + this.#random.below(3))
    const ids = Array.from({ length: total }, (_, i) => i + 1)
    const addresses = ids.map((id) => ({ id, host: `n${id}`, port: PORT }))
    const first = ids.slice(0, controllers).map((id) => this.#voter(id))
    const timing = this.#timing()
    const fetchMaxBytes = this.#random.pick([150, 1000, 8192])
    const served = (host: string, key: RaftApi, from: string): void => this.#served(host, key, from)
    const wire = new RaftWire({ served }, { world: this.#world })
    return addresses.map(({ id, host }) => {
      const options: RaftOptions = {
        nodeId: id,
        clusterId: CLUSTER_ID,
        directoryId: directoryId(id),
        logDir: LOG_DIR,
        staticVoters: this.#isDynamic ? [] : staticVoters(addresses.slice(0, controllers), LISTENER),
        bootstrapServers: this.#isDynamic ? addresses : [],
        isController: this.#isDynamic || id <= controllers,
        controllerListenerName: LISTENER,
        ...timing,
        fetchMaxBytes,
        fetchSnapshotMaxBytes: 200,
        autoJoin: false,
        endpoints: [{ name: LISTENER, host, port: PORT }],
        segmentBytes: 3000,
        segmentMs: 604_800_000,
        retention: { maxBytes: 8000, maxAgeMs: 604_800_000 },
      }
      const deps = { machine: this.#world.machine(host), wire, truth: this.#truth, trace: this.#trace }
      const fail = (error: unknown): void => {
        this.#failure ??= error
      }
      const onElected = (elected: RaftMember): void => this.#elected(elected)
      const member = new RaftMember(options, { ...deps, fail, onElected })
      member.format(this.#isDynamic ? (id <= controllers ? first : undefined) : undefined)
      return member
    })
  }

  /** A leader that is gone before the others have a record of its epoch leaves them with what they had. */
  #elected(member: RaftMember): void {
    if (this.#rivalry !== undefined) return this.#rivalry.elected(member)
    if (!this.#random.chance(ELECTED_STRIKES)) return
    this.#strike(member, [1, 10, 50])
  }

  #strike(member: RaftMember, delaysMs: readonly number[]): void {
    const fault = this.#random.pick(['isolate', 'isolate', 'kill', 'power'] as const)
    this.#world.clock.setTimer(this.#random.fraction() * this.#random.pick(delaysMs), () => {
      if (!this.#isCalm) this.#nemesis.strike(fault, member)
    })
  }

  /** What was promised a moment ago is what is forgotten: the node is gone, and back before the others are done. */
  #served(host: string, key: RaftApi, from: string): void {
    if (this.#isCalm) return
    if (this.#random.chance(BOUNCES.get(key) ?? 0)) this.#bounce(host)
    if (key !== ApiKey.Fetch) return
    if (this.#rivalry !== undefined) this.#rivalry.answered(host)
    else if (this.#random.chance(COUPS)) this.#coup(host, from)
  }

  #bounce(host: string, isKill = this.#random.chance(0.3)): void {
    const member = this.#members.find(({ name }) => name === host)
    const { clock } = this.#world
    clock.setTimer(this.#random.fraction(), () => {
      if (member?.machine.isRunning !== true) return
      this.#trace.note('-- bounce', host)
      if (isKill) member.machine.kill()
      else member.machine.losePower()
      clock.setTimer(this.#random.fraction() * 50, () => {
        if (!member.machine.isRunning) member.start()
      })
    })
  }

  /** What the follower has told counts; power is lost there, and the leader out of reach, before anybody else has it. */
  #coup(leader: string, follower: string): void {
    const member = this.#members.find(({ name }) => name === leader)
    if (member?.node?.role !== 'leader') return
    this.#nemesis.strike('isolate', member)
    this.#bounce(follower, false)
  }

  #timing() {
    // Where it is short, two stand for election at a time again and again.
    const electionTimeoutMs = this.#random.chance(0.4) ? this.#random.between(15, 40) : this.#random.between(100, 400)
    return {
      electionTimeoutMs,
      fetchTimeoutMs: this.#random.between(200, 800),
      electionBackoffMaxMs: this.#random.between(50, 400),
      requestTimeoutMs: this.#random.between(200, 800),
      retryBackoffMs: 20,
    }
  }

  #voter(id: number): Voter {
    return { ...staticVoters([{ id, host: `n${id}`, port: PORT }], LISTENER)[0]!, directoryId: directoryId(id) }
  }

  async #advance(ms: number): Promise<void> {
    await this.#world.clock.run(ms)
    for (const member of this.#members) member.look()
    this.#checkStale()
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Who leads and has lost the others gives up, though nobody can tell it. */
  #checkStale(): void {
    const leaders = this.#members.filter(({ node }) => node?.role === 'leader')
    const latest = Math.max(...leaders.map(({ node }) => node?.leaderAndEpoch.epoch ?? 0))
    const nowMs = this.#world.clock.monotonicMs()
    for (const member of this.#members) {
      const isStale = member.node?.role === 'leader' && member.node.leaderAndEpoch.epoch < latest
      const sinceMs = this.#staleSinceMs.get(member) ?? nowMs
      if (isStale) this.#staleSinceMs.set(member, sinceMs)
      else this.#staleSinceMs.delete(member)
      const mostMs = STALE_TIMEOUTS * member.options.fetchTimeoutMs
      hold(nowMs - sinceMs <= mostMs, `${member.name} has led for ${mostMs} ms beside a leader of epoch ${latest}`)
    }
  }

  /** Whoever thinks that it leads is asked to commit something. */
  #propose(): void {
    for (const { node, name } of this.#members) {
      if (node?.role !== 'leader') continue
      const values = Array.from({ length: this.#random.between(1, 3) }, () => `v${this.#nextValue++}`)
      const proposed = node.propose(values.map((value) => new TextEncoder().encode(value)))
      proposed
        .then((offset) => this.#truth.acknowledged(name, offset, values.at(-1) ?? ''))
        .catch((error: unknown) => {
          if (!(error instanceof NotLeaderError)) this.#failure ??= error
        })
    }
  }

  /** Makes static voters dynamic, or adds or removes one, if the leader lets it. */
  #changeQuorum(): void {
    const leader = this.#members.find(({ node }) => node?.role === 'leader')
    const node = leader?.node
    if (leader === undefined || node === undefined) return
    if (node.kraftVersion > 0) this.#changeVoters(leader, node)
    else this.#trace.note(`kraft.version 1: ${node.upgradeKraftVersion(1, { validateOnly: false })}`, leader.name)
  }

  #changeVoters(leader: RaftMember, node: RaftNode): void {
    const voters = node.quorumInfo().voters.map(({ id }) => id)
    const others = this.#members.filter(({ options }) => options.isController && !voters.includes(options.nodeId))
    const isGrowing = others.length > 0 && this.#random.chance(voters.length < 3 ? 0.7 : 0.5)
    const id = isGrowing ? this.#random.pick(others).options.nodeId : this.#random.pick(voters)
    if (!isGrowing && voters.length === 1) return
    const identity = { clusterId: CLUSTER_ID, voterId: id, voterDirectoryId: directoryId(id) }
    const listeners = [{ name: LISTENER, host: `n${id}`, port: PORT }]
    const changing = isGrowing
      ? node.addVoter({ ...identity, timeoutMs: 1000, listeners, ackWhenCommitted: true })
      : node.removeVoter(identity)
    const what = `${isGrowing ? 'adds' : 'removes'} voter ${id}`
    this.#trace.note(what, leader.name)
    if (this.#random.chance(CHANGED_STRIKES)) this.#strike(leader, [1, 3, 10])
    void changing.then(({ errorCode }) => this.#trace.note(`${what}: ${errorCode}`, leader.name))
  }

  /** All is well again: the quorum must come to agree, and its logs be the same. */
  async #finish(): Promise<void> {
    this.#trace.note('-- all faults end')
    this.#isCalm = true
    this.#nemesis.end()
    const untilMs = this.#world.clock.monotonicMs() + RECOVERY_MS
    const target = this.#truth.endOffset
    for (;;) {
      await this.#advance(50)
      this.#nemesis.end()
      const states = this.#members.map(({ state }) => state.endOffset)
      const voters = this.#members.map(({ voters: known }) => known)
      const areOne = voters.every((known) => known === voters[0])
      if (areOne && states.every((offset) => offset > target && offset === states[0])) break
      const isOver = this.#world.clock.monotonicMs() > untilMs
      hold(!isOver || areOne, `after ${RECOVERY_MS} ms without faults the voters are ${voters.join(' and ')}`)
      hold(!isOver, `after ${RECOVERY_MS} ms without faults the nodes have heard up to ${states.join()}, not ${target}`)
      if (Math.max(...states) <= target) this.#propose()
    }
    this.#checkLogs()
    this.#trace.note(`committed ${this.#truth.endOffset} in ${this.#truth.epochCount} epochs`)
  }

  /** Below what all have committed, all have the same bytes. */
  #checkLogs(): void {
    const endOffset = Math.min(...this.#members.map(({ state }) => state.endOffset))
    const known = new Map<number, string>()
    for (const { name, machine } of this.#members) {
      for (const [baseOffset, content] of logContent(machine.disk, endOffset)) {
        const other = known.get(baseOffset)
        hold(other === undefined || other === content, `${name}: the batch at ${baseOffset} is not that of the others`)
        known.set(baseOffset, content)
      }
    }
  }
}

function logContent(disk: SimDisk, endOffset: number): Map<number, string> {
  const found = new Map<number, string>()
  for (const { path } of disk.files(`${LOG_DIR}/${METADATA_LOG_DIRECTORY}`)) {
    if (!path.endsWith('.log')) continue
    for (const batch of batches(disk.readFile(path))) {
      if (batch.nextOffset <= endOffset)
        found.set(
          batch.baseOffset,
          Buffer.from(batch.bytes.subarray(batch.start, batch.start + batch.sizeInBytes)).toString('base64'),
        )
    }
  }
  return found
}

function directoryId(id: number): string {
  return Buffer.from(`directory-of-n-${id}`).toString('base64url')
}
