import type { Clock } from '../../../broker/env/clock.ts'
import type { Env } from '../../../broker/env/env.ts'
import { RaftNode } from '../../../broker/raft/raft-node.ts'
import type { RaftOptions } from '../../../broker/raft/raft-types.ts'
import { encodeSnapshot, snapshotName } from '../../../broker/raft/snapshot-file.ts'
import { staticVoters, type Voter } from '../../../broker/raft/voters.ts'
import type { Message } from '../../../broker/schema/message.ts'
import { SimWorld, type SimMachine } from '../../fakes/env.ts'
import { silentLogger } from '../../fakes/logger.ts'
import { RaftWire, roundTrip } from '../../sim/raft/wire.ts'
import { LOG_DIR, METADATA_DIR, RAFT_DEFAULTS, Recorder } from './harness.ts'

const PORT = 9093
const DELAY_MS = 1.5

function hostOf(id: number): string {
  return `node${id}`
}

export function directoryOf(id: number): string {
  return `uEYGF8nYSKGSUEijCUSI${String.fromCharCode(65 + id)}g`
}

export function endpointsOf(id: number) {
  return [{ name: 'CONTROLLER', host: hostOf(id), port: PORT }]
}

export function voterOf(id: number): Voter {
  return { id, directoryId: directoryOf(id), endpoints: endpointsOf(id) }
}

/** One machine, and the process on it, if one runs. */
export class Member {
  readonly id: number
  readonly machine: SimMachine
  readonly options: RaftOptions
  node: RaftNode | undefined
  recorder = new Recorder()

  constructor(machine: SimMachine, options: RaftOptions) {
    this.id = options.nodeId
    this.machine = machine
    this.options = options
  }
}

export interface ClusterOptions {
  readonly seed: number
  readonly voters: readonly number[]
  readonly observers?: readonly number[]
  /** kraft.version 0: the voters are in the configuration. */
  readonly isStatic?: boolean
  readonly options?: Partial<RaftOptions>
  /** Timers fire as Node's do: at whole milliseconds, and so a little early. */
  readonly hasCoarseTimers?: boolean
}

function coarse(clock: Clock): Clock {
  return {
    wallMs: () => clock.wallMs(),
    monotonicMs: () => clock.monotonicMs(),
    defer: (callback) => clock.defer(callback),
    setTimer: (delayMs, callback) => clock.setTimer(Math.max(1, Math.floor(delayMs)), callback),
  }
}

/** Several members of a quorum in one simulated world. */
export class RaftCluster {
  readonly world: SimWorld
  readonly members = new Map<number, Member>()
  readonly #wire: RaftWire
  readonly #clockOf: (env: Env) => Clock

  constructor(options: ClusterOptions) {
    const { seed, voters, observers = [], isStatic = false, options: raft = {}, hasCoarseTimers = false } = options
    this.#clockOf = ({ clock }) => (hasCoarseTimers ? coarse(clock) : clock)
    this.world = new SimWorld({ seed, network: { delayMsMax: DELAY_MS } })
    this.#wire = new RaftWire({ served: () => {} }, { world: this.world })
    for (const id of [...voters, ...observers]) {
      const statics = voters.map((voter) => ({ id: voter, host: hostOf(voter), port: PORT }))
      this.add({
        nodeId: id,
        directoryId: directoryOf(id),
        logDir: LOG_DIR,
        staticVoters: isStatic ? staticVoters(statics, 'CONTROLLER') : [],
        endpoints: endpointsOf(id),
        segmentBytes: 1024 * 1024,
        segmentMs: 604_800_000,
        retention: { maxBytes: 100 * 1024 * 1024, maxAgeMs: 604_800_000 },
        ...RAFT_DEFAULTS,
        bootstrapServers: statics,
        isController: voters.includes(id),
        ...raft,
      })
      if (!isStatic) this.#format(id, voters.includes(id) ? voters : [])
    }
  }

  /** A machine with an empty disk; `name` tells it from others. */
  add(options: RaftOptions, name = ''): Member {
    const member = new Member(this.world.machine(`${hostOf(options.nodeId)}${name}`), options)
    this.members.set(options.nodeId, member)
    member.machine.disk.makeDirectory(LOG_DIR)
    member.machine.disk.syncDirectory('/')
    return member
  }

  /** As the format command leaves it: the voters in a snapshot at offset 0. */
  #format(id: number, voters: readonly number[]): void {
    const { disk } = this.member(id).machine
    const snapshotId = { endOffset: 0, epoch: 0 }
    const snapshot = {
      id: snapshotId,
      lastContainedLogTimestampMs: 0,
      kraftVersion: 1,
      voters: voters.length === 0 ? undefined : voters.map(voterOf),
      records: [],
    }
    disk.makeDirectory(METADATA_DIR)
    disk.syncDirectory(LOG_DIR)
    disk.replaceFile(`${METADATA_DIR}/${snapshotName(snapshotId)}`, Buffer.concat(encodeSnapshot(snapshot, 0)))
  }

  member(id: number): Member {
    const member = this.members.get(id)
    if (member === undefined) throw new Error(`no member ${id}`)
    return member
  }

  node(id: number): RaftNode {
    const { node } = this.member(id)
    if (node === undefined) throw new Error(`node ${id} does not run`)
    return node
  }

  async start(...ids: readonly number[]): Promise<void> {
    for (const id of ids.length === 0 ? this.members.keys() : ids) {
      const member = this.member(id)
      const env = member.machine.start()
      const { clock } = member.machine
      if (clock === undefined) throw new Error('the process that was just started is gone')
      member.recorder = new Recorder()
      const deps = {
        ...env,
        clock: this.#clockOf(env),
        logger: silentLogger(),
        transport: this.#wire.transport(hostOf(id), clock, this.#clockOf(env)),
      }
      const opening = RaftNode.open(member.options, deps)
      const node = await this.world.clock.runFor(opening)
      member.node = node
      node.register(member.recorder)
      this.#wire.attach({ host: hostOf(id), clock, node })
      node.start()
    }
  }

  kill(id: number, how: 'killed' | 'power lost' = 'killed'): void {
    const member = this.member(id)
    if (how === 'killed') member.machine.kill()
    else member.machine.losePower()
    this.#wire.detach(hostOf(id))
    member.node = undefined
  }

  /** Nothing passes between the two, in either direction. */
  cut(a: number, b: number): void {
    this.world.network.partition(hostOf(a), hostOf(b))
  }

  isolate(id: number): void {
    for (const other of this.members.keys()) if (other !== id) this.cut(id, other)
  }

  heal(): void {
    this.world.network.healAll()
  }

  /** The leader that its listeners know of, among the nodes that run. */
  leader(): Member | undefined {
    const leaders = [...this.members.values()].filter(({ node, recorder, id }) => {
      const [line] = recorder.heard.filter((text) => text.startsWith('leader')).slice(-1)
      return node?.role === 'leader' && line === `leader ${id} in epoch ${node.leaderAndEpoch.epoch}`
    })
    return leaders.toSorted((a, b) => epochOf(b) - epochOf(a))[0]
  }

  async untilLeader(limitMs = 20_000, not = -1): Promise<Member> {
    await this.world.clock.runUntil(() => ![undefined, not].includes(this.leader()?.id), limitMs)
    const leader = this.leader()
    if (leader === undefined) throw new Error('no leader')
    return leader
  }

  run(ms: number): Promise<void> {
    return this.world.clock.run(ms)
  }
}

/** As the other side sees it: encoded in the latest version, and decoded. */
export function decoded<Out, In>(schema: Message<Out, In>, value: In): Out {
  return roundTrip(schema, schema.versions.max, value)
}

function epochOf({ node }: Member): number {
  return node?.leaderAndEpoch.epoch ?? -1
}
