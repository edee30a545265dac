import {
  initialState,
  majority,
  nextDeadline,
  type RaftEffect,
  type RaftEvent,
  type RaftState,
  type ReplicaKey,
} from '../../../broker/raft/state.ts'
import { step } from '../../../broker/raft/step.ts'
import { validateFetch } from '../../../broker/raft/validate-fetch.ts'

const TIMEOUTS = { fetchMs: 2000, electionMs: 1000, electionBackoffMaxMs: 1000 }

/** A record: the epoch that it was written in, and a number that no other has. */
interface Entry {
  readonly epoch: number
  readonly id: number
}

interface Node {
  readonly id: number
  state: RaftState
  log: Entry[]
  /** What a crash leaves. */
  durable: { epoch: number; leaderId: number; voted: ReplicaKey | undefined }
  durableEnd: number
}

type Message = { readonly to: number; readonly deliver: (node: Node) => void }

const key = (id: number): ReplicaKey => ({ id, directoryId: `AAAAAAAAAAAAAAAAAAAAA${'AQgw'[id % 4]}` })

/** Some nodes, as states alone, and the messages between them, which arrive in any order, several times or never. */
export class Model {
  readonly nodes: Node[]
  readonly problems: string[] = []
  readonly #voters: readonly ReplicaKey[]
  readonly #leaders = new Map<number, number>()
  #messages: Message[] = []
  #committed: Entry[] = []
  #nowMs = 0
  #nextId = 1

  constructor(size: number) {
    const ids = Array.from({ length: size }, (_, index) => index + 1)
    this.#voters = ids.map(key)
    this.nodes = ids.map((id) => this.#born(id, { epoch: 0, leaderId: -1, voted: undefined }, []))
    for (const node of this.nodes) this.#step(node, { type: 'start' })
  }

  #born(id: number, durable: Node['durable'], log: Entry[]): Node {
    const state = initialState({
      self: key(id),
      timeouts: TIMEOUTS,
      voters: this.#voters,
      possibleVoters: this.#voters,
      ...durable,
      highWatermark: 0,
    })
    return { id, state, log, durable, durableEnd: log.length }
  }

  get committed(): number {
    return this.#committed.length
  }
  get leaders(): number {
    return this.#leaders.size
  }

  /** Time goes on until the node has something to do. */
  tick(at: number): void {
    const node = this.#pick(at)
    const deadlineMs = nextDeadline(node.state)
    if (deadlineMs === Infinity) return
    this.#nowMs = Math.max(this.#nowMs, deadlineMs)
    this.#step(node, { type: 'tick' })
  }

  deliver(at: number, isLast: boolean): void {
    const index = this.#messages.length === 0 ? -1 : at % this.#messages.length
    const message = this.#messages[index]
    if (message === undefined) return
    if (isLast) this.#messages.splice(index, 1)
    const node = this.nodes.find(({ id }) => id === message.to)
    if (node !== undefined) message.deliver(node)
  }

  drop(at: number): void {
    if (this.#messages.length > 0) this.#messages.splice(at % this.#messages.length, 1)
  }

  /** A loss of power: what was not synced is gone. */
  crash(at: number): void {
    const node = this.#pick(at)
    this.nodes[this.nodes.indexOf(node)] = this.#born(node.id, node.durable, node.log.slice(0, node.durableEnd))
    this.#step(this.#pick(at), { type: 'start' })
  }

  append(at: number): void {
    const node = this.#pick(at)
    const { role, epoch } = node.state
    if (role.name === 'leader' && role.epochStartOffset >= 0) node.log.push({ epoch, id: this.#nextId++ })
  }

  sync(at: number): void {
    const node = this.#pick(at)
    node.durableEnd = node.log.length
    this.#step(node, { type: 'logDurable', endOffset: node.durableEnd })
  }

  leaderLost(at: number): void {
    const node = this.#pick(at)
    this.#step(node, { type: 'leaderLost', epoch: node.state.epoch })
  }

  resign(at: number): void {
    this.#step(this.#pick(at), { type: 'resign' })
  }

  /** A follower asks the leader that it knows, and the answer goes back as a message. */
  fetch(at: number): void {
    const { id, state, log, durableEnd } = this.#pick(at)
    if (state.role.name !== 'follower') return
    const { epoch, leaderId } = state
    const offset = durableEnd
    if (offset !== log.length) return
    const lastEpoch = log.at(-1)?.epoch ?? 0
    this.#send(leaderId, (leader) => this.#serveFetch(leader, { id, epoch, offset, lastEpoch }))
  }

  #serveFetch(
    leader: Node,
    { id, epoch, offset, lastEpoch }: { id: number; epoch: number; offset: number; lastEpoch: number },
  ): void {
    const { state, log } = leader
    if (state.role.name !== 'leader' || state.epoch !== epoch) {
      this.#send(id, (node) => this.#hear(node, state))
      return
    }
    const verdict = validateFetch(viewOf(log), { oldest: undefined, newest: undefined }, offset, lastEpoch)
    const isValid = verdict.type === 'valid'
    this.#step(leader, { type: 'replicaFetched', replica: key(id), endOffset: isValid ? offset : undefined })
    const { highWatermark } = leader.state
    const records = log.slice(offset)
    this.#send(id, (node) => {
      const isStale = node.state.role.name !== 'follower' || node.state.epoch !== epoch || node.log.length !== offset
      if (isStale || (node.log.at(-1)?.epoch ?? 0) !== lastEpoch) return
      if (verdict.type === 'diverging') this.#truncate(node, verdict.epoch, verdict.endOffset)
      else node.log.push(...records)
      node.durableEnd = node.log.length
      this.#step(node, { type: 'fetched', epoch, highWatermark: isValid ? highWatermark : -1 })
    })
  }

  #truncate(node: Node, epoch: number, leaderEnd: number): void {
    const local = viewOf(node.log).leaderEpochs.endOffsetFor(epoch)
    const offset = local.epoch === epoch ? Math.min(local.endOffset, leaderEnd) : local.endOffset
    if (offset < node.state.highWatermark) this.problems.push(`node ${node.id} would truncate what is committed`)
    node.log = node.log.slice(0, offset)
  }

  #pick(at: number): Node {
    const node = this.nodes[at % this.nodes.length]
    if (node === undefined) throw new Error('no node')
    return node
  }

  #send(to: number, deliver: (node: Node) => void): void {
    this.#messages.push({ to, deliver })
    if (this.#messages.length > 40) this.#messages.shift()
  }

  #hear(node: Node, { epoch, leaderId, role }: RaftState): void {
    const known = role.name === 'resigned' ? -1 : leaderId
    this.#step(node, { type: 'leaderHeard', epoch, leaderId: known, isLeaderItself: false })
  }

  #step(node: Node, event: RaftEvent): boolean {
    const before = node.state
    const log = { endOffset: node.log.length, lastEpoch: node.log.at(-1)?.epoch ?? 0 }
    const jitter = ((this.#nextId * 7 + node.id * 13) % 10) / 10
    const { state, effects, isGranted = false } = step(before, event, { nowMs: this.#nowMs, jitter, log })
    node.state = state
    if (state.epoch < before.epoch) this.problems.push(`the epoch of node ${node.id} went back`)
    if (state.highWatermark < before.highWatermark)
      this.problems.push(`the high watermark of node ${node.id} went back`)
    for (const effect of effects) this.#perform(node, effect)
    return isGranted
  }

  #perform(node: Node, effect: RaftEffect): void {
    const { id } = node
    switch (effect.type) {
      case 'persistQuorumState':
        node.durable = { epoch: effect.epoch, leaderId: effect.leaderId, voted: effect.voted }
        return
      case 'requestVotes':
        for (const voter of this.#others(id)) this.#askVote(node, voter.id, effect.epoch, effect.isPreVote)
        return
      case 'appendLeaderChange': {
        const other = this.#leaders.get(effect.epoch) ?? id
        if (other !== id) this.problems.push(`${other} and ${id} lead in epoch ${effect.epoch}`)
        if (effect.votes.length < majority(this.#voters)) this.problems.push(`node ${id} leads without a majority`)
        this.#leaders.set(effect.epoch, id)
        this.#checkPrefix(node, this.#committed.length, 'leads without')
        node.log.push({ epoch: effect.epoch, id: this.#nextId++ })
        this.#step(node, { type: 'epochStarted', epoch: effect.epoch, offset: node.log.length - 1 })
        return
      }
      case 'beginQuorumEpoch': {
        const { epoch } = node.state
        for (const voter of effect.voters) {
          this.#send(voter.id, (other) =>
            this.#step(other, { type: 'leaderHeard', epoch, leaderId: id, isLeaderItself: true }),
          )
        }
        return
      }
      case 'endQuorumEpoch': {
        const { epoch, successors } = effect
        for (const voter of successors) {
          this.#send(voter.id, (other) => this.#step(other, { type: 'leaderEnds', epoch, leaderId: id, successors }))
        }
        return
      }
      case 'advanceHighWatermark':
        this.#checkPrefix(node, Math.min(effect.offset, this.#committed.length), 'commits other than')
        if (effect.offset > this.#committed.length) this.#committed = node.log.slice(0, effect.offset)
        return
      default:
    }
  }

  #checkPrefix(node: Node, end: number, what: string): void {
    const isSame = this.#committed.slice(0, end).every((entry, index) => node.log[index]?.id === entry.id)
    if (!isSame) this.problems.push(`node ${node.id} ${what} what is committed`)
  }

  #others(id: number): ReplicaKey[] {
    return this.#voters.filter((voter) => voter.id !== id)
  }

  #askVote(candidate: Node, voterId: number, epoch: number, isPreVote: boolean): void {
    const log = { lastEpoch: candidate.log.at(-1)?.epoch ?? 0, endOffset: candidate.log.length }
    const request = { type: 'voteRequested' as const, epoch, candidate: key(candidate.id), isPreVote, ...log }
    this.#send(voterId, (voter) => {
      const isGranted = epoch >= voter.state.epoch && this.#step(voter, request)
      const { state } = voter
      this.#send(candidate.id, (asker) => {
        this.#hear(asker, state)
        this.#step(asker, { type: 'voteAnswered', epoch, voterId, isPreVote, isGranted })
      })
    })
  }
}

/** The leader epochs of a log, as the log's own cache has them. */
function viewOf(log: readonly Entry[]) {
  const latestEpoch = log.at(-1)?.epoch ?? -1
  const endOffsetFor = (epoch: number) => {
    if (epoch === latestEpoch) return { epoch, endOffset: log.length }
    const next = log.findIndex((entry) => entry.epoch > epoch)
    if (next < 0) return { epoch: -1, endOffset: -1 }
    return { epoch: log[next - 1]?.epoch ?? epoch, endOffset: next }
  }
  return { logStartOffset: 0, logEndOffset: log.length, leaderEpochs: { latestEpoch, endOffsetFor } }
}
