import type { Clock } from '../../../broker/env/clock.ts'
import type { Env } from '../../../broker/env/env.ts'
import type { Address } from '../../../broker/env/network.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import {
  APIS,
  type RequestInputOf,
  type RequestOf,
  type ResponseInputOf,
  type ResponseOf,
} from '../../../broker/protocol/apis.ts'
import { RaftNode } from '../../../broker/raft/raft-node.ts'
import type { RaftApi, RaftOptions, RaftTransport } from '../../../broker/raft/raft-types.ts'
import { encodeSnapshot, snapshotName } from '../../../broker/raft/snapshot-file.ts'
import { staticVoters, type Voter } from '../../../broker/raft/voters.ts'
import type { Message } from '../../../broker/schema/message.ts'
import { Reader } from '../../../broker/schema/reader.ts'
import { Writer } from '../../../broker/schema/writer.ts'
import { SimWorld, type SimMachine } from '../../fakes/env.ts'
import { silentLogger } from '../../fakes/logger.ts'
import { LOG_DIR, METADATA_DIR, RAFT_DEFAULTS, Recorder } from './harness.ts'

const PORT = 9093
const DELAY_MS = 1.5

export function directoryOf(id: number): string {
  return `uEYGF8nYSKGSUEijCUSI${String.fromCharCode(65 + id)}g`
}

export function endpointsOf(id: number) {
  return [{ name: 'CONTROLLER', host: `node${id}`, port: PORT }]
}

export function voterOf(id: number): Voter {
  return { id, directoryId: directoryOf(id), endpoints: endpointsOf(id) }
}

/** One machine, and the process on it, if one runs. */
export class Member {
  readonly id: number
  readonly machine: SimMachine
  readonly options: RaftOptions
  env: Env | undefined
  node: RaftNode | undefined
  recorder = new Recorder()
  /** Those who wait for an answer of the process, and hear when its connections break. */
  onGone: (() => void)[] = []

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

/** Several members of a quorum in one simulated world. What they ask each other is encoded and decoded as on the wire. */
export class RaftCluster {
  readonly world: SimWorld
  readonly members = new Map<number, Member>()
  readonly #cuts = new Set<string>()
  readonly #clockOf: (env: Env) => Clock

  constructor(options: ClusterOptions) {
    const { seed, voters, observers = [], isStatic = false, options: raft = {}, hasCoarseTimers = false } = options
    this.#clockOf = ({ clock }) => (hasCoarseTimers ? coarse(clock) : clock)
    this.world = new SimWorld({ seed })
    for (const id of [...voters, ...observers]) {
      const statics = voters.map((voter) => ({ id: voter, host: `node${voter}`, port: PORT }))
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
    const member = new Member(this.world.machine(`node${options.nodeId}${name}`), options)
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
      member.env = env
      member.recorder = new Recorder()
      const deps = {
        ...env,
        clock: this.#clockOf(env),
        logger: silentLogger(),
        transport: this.#transport(member, env),
      }
      const opening = RaftNode.open(member.options, deps)
      const node = await this.world.clock.runFor(opening)
      member.node = node
      node.register(member.recorder)
      node.start()
    }
  }

  kill(id: number, how: 'killed' | 'power lost' = 'killed'): void {
    const member = this.member(id)
    if (how === 'killed') member.machine.kill()
    else member.machine.losePower()
    member.node = undefined
    member.env = undefined
    for (const gone of member.onGone.splice(0)) gone()
  }

  /** Nothing passes between the two, in either direction. */
  cut(a: number, b: number): void {
    this.#cuts.add(`${a} ${b}`).add(`${b} ${a}`)
  }

  isolate(id: number): void {
    for (const other of this.members.keys()) if (other !== id) this.cut(id, other)
  }

  heal(): void {
    this.#cuts.clear()
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

  #transport(from: Member, env: Env): RaftTransport {
    const isUp = () => from.env === env
    return {
      request: <K extends RaftApi>(to: Address, key: K, body: RequestInputOf<K>, timeoutMs: number) =>
        new Promise<ResponseOf<K>>((resolve, reject) => {
          const target = [...this.members.values()].find(({ id }) => `node${id}` === to.host)
          const isCut = () => target === undefined || this.#cuts.has(`${from.id} ${target.id}`)
          const delay = () => this.world.random.fraction() * DELAY_MS
          const request = decoded<RequestOf<K>, RequestInputOf<K>>(APIS[key].request, body)
          env.clock.setTimer(timeoutMs, () => reject(new Error('timed out')))
          env.clock.setTimer(delay(), () => {
            if (isCut() || target === undefined) return
            const { node } = target
            if (node === undefined) {
              reject(Object.assign(new Error('refused'), { isRefused: true }))
              return
            }
            void this.#serve(target, key, request).then((answer) => {
              if (!isUp() || isCut()) return
              const response = decoded<ResponseOf<K>, ResponseInputOf<K>>(
                APIS[key].response,
                answer as ResponseInputOf<K>,
              )
              env.clock.setTimer(delay(), () => resolve(response))
            })
            target.onGone.push(() => {
              if (isUp() && !isCut()) env.clock.setTimer(delay(), () => reject(new Error('reset')))
            })
          })
        }),
    }
  }

  async #serve(target: Member, key: RaftApi, request: RequestOf<RaftApi>): Promise<unknown> {
    const { node, env } = target
    if (node === undefined) throw new Error('gone')
    const answer = await answerOf(node, key, request)
    // Nobody of a process that is gone answers.
    if (target.env !== env) return new Promise(() => {})
    return answer
  }
}

function answerOf(node: RaftNode, key: RaftApi, request: RequestOf<RaftApi>): unknown {
  switch (key) {
    case ApiKey.Vote:
      return node.vote(request as RequestOf<typeof ApiKey.Vote>)
    case ApiKey.BeginQuorumEpoch:
      return node.beginQuorumEpoch(request as RequestOf<typeof ApiKey.BeginQuorumEpoch>)
    case ApiKey.EndQuorumEpoch:
      return node.endQuorumEpoch(request as RequestOf<typeof ApiKey.EndQuorumEpoch>)
    case ApiKey.Fetch:
      return node.fetch(request as RequestOf<typeof ApiKey.Fetch>, { onAbandoned: () => {} })
    case ApiKey.FetchSnapshot:
      return node.fetchSnapshot(request as RequestOf<typeof ApiKey.FetchSnapshot>)
    case ApiKey.AddRaftVoter:
      return node.addVoter(request as RequestOf<typeof ApiKey.AddRaftVoter>)
    case ApiKey.RemoveRaftVoter:
      return node.removeVoter(request as RequestOf<typeof ApiKey.RemoveRaftVoter>)
    case ApiKey.UpdateRaftVoter:
      return node.updateVoter(request as RequestOf<typeof ApiKey.UpdateRaftVoter>)
    default:
      return { supportedFeatures: [{ name: 'kraft.version', minVersion: 0, maxVersion: 1 }] }
  }
}

/** As the other side sees it: encoded in the latest version, and decoded. */
export function decoded<Out, In>(schema: Message<Out, In>, value: In): Out {
  const writer = new Writer()
  schema.encode(writer, schema.versions.max, value)
  return schema.decode(new Reader(new Uint8Array(writer.concat())), schema.versions.max)
}

function epochOf({ node }: Member): number {
  return node?.leaderAndEpoch.epoch ?? -1
}
