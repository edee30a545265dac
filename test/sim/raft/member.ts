import type { Env } from '../../../broker/env/env.ts'
import { metadataLogDirectory } from '../../../broker/raft/metadata-log.ts'
import { RaftNode } from '../../../broker/raft/raft-node.ts'
import type { CommittedBatch, LeaderAndEpoch, RaftOptions } from '../../../broker/raft/raft-types.ts'
import { encodeSnapshot, type Snapshot, snapshotName } from '../../../broker/raft/snapshot-file.ts'
import type { Voter } from '../../../broker/raft/voters.ts'
import { isTooManyFiles } from '../../../broker/storage/errors.ts'
import type { Logger } from '../../../broker/telemetry/logger.ts'
import type { SimMachine } from '../../fakes/env.ts'
import { silentLogger } from '../../fakes/logger.ts'
import { hold } from '../history.ts'
import type { Victim } from '../nemesis.ts'
import type { Trace } from '../simulation.ts'
import { type Digest, digestBehind, NOTHING, type QuorumTruth } from './truth.ts'
import type { RaftWire } from './wire.ts'

export interface MemberDeps {
  readonly machine: SimMachine
  readonly wire: RaftWire
  readonly truth: QuorumTruth
  readonly trace: Trace
  /** A rule did not hold in something that the node called. */
  readonly fail: (error: unknown) => void
  /** The node has won an election. */
  readonly onElected: (member: RaftMember) => void
}

/** Committed batches between two snapshots. */
const SNAPSHOT_EVERY = 25

/** A machine of the quorum, and the state machine that its node feeds. */
export class RaftMember implements Victim {
  readonly options: RaftOptions
  readonly machine: SimMachine
  readonly #deps: MemberDeps
  #node: RaftNode | undefined
  #state: Digest = NOTHING
  #lastTimestampMs = 0
  #sinceSnapshot = 0
  #highWatermark = 0

  constructor(options: RaftOptions, deps: MemberDeps) {
    this.options = options
    this.machine = deps.machine
    this.#deps = deps
  }

  get name(): string {
    return this.machine.name
  }
  /** The running node; undefined while there is none that could do something. */
  get node(): RaftNode | undefined {
    return this.machine.clock?.isStopped === false ? this.#node : undefined
  }
  /** As far as this node's state machine has come. */
  get state(): Digest {
    return this.#state
  }

  /** Who votes, as far as this node knows. */
  get voters(): string {
    const voters = this.node?.quorumInfo().voters ?? []
    return voters
      .map(({ id, directoryId }) => `${id}@${directoryId}`)
      .toSorted()
      .join()
  }

  /** Makes the data directory; with the first voters where they are dynamic. */
  format(voters: readonly Voter[] | undefined): void {
    const { disk } = this.machine
    const directory = metadataLogDirectory(this.options.logDir)
    disk.makeDirectory(directory)
    if (voters !== undefined) {
      const id = { endOffset: 0, epoch: 0 }
      const snapshot = { id, lastContainedLogTimestampMs: 0, kraftVersion: 1, voters, records: [] }
      disk.replaceFile(`${directory}/${snapshotName(id)}`, Buffer.concat(encodeSnapshot(snapshot, 0)))
    }
    for (const path of ['/', this.options.logDir, directory]) disk.syncDirectory(path)
  }

  start(): void {
    const env = this.machine.start()
    this.#node = undefined
    this.#state = NOTHING
    this.#highWatermark = 0
    this.#sinceSnapshot = 0
    this.#open(env).catch((error: unknown) => this.#exit(env, error))
  }

  stop(): void {
    const node = this.#node
    const clock = this.machine.clock
    if (node === undefined) return this.machine.kill()
    const stopping = node.resign().then(() => node.close())
    const end = (): void => {
      if (clock?.alive === true) this.machine.kill()
    }
    stopping.then(end, end)
  }

  async #open(env: Env): Promise<void> {
    const { clock } = this.machine
    const { wire } = this.#deps
    if (clock === undefined) return
    const transport = wire.transport(this.name, clock)
    const onFailed = (error: unknown): void => {
      this.#checked(() => hold(!isTooManyFiles(error), `${this.name} ends for want of descriptors`))
      this.#exit(env, error)
    }
    const node = await RaftNode.open(this.options, { ...env, logger: this.#logger(), transport, onFailed })
    if (clock !== this.machine.clock) return
    const isAlive = () => clock.alive
    node.register({
      onSnapshot: (snapshot) => isAlive() && this.#checked(() => this.#load(snapshot)),
      onCommit: (committed) => isAlive() && this.#checked(() => this.#apply(committed)),
      onLeaderChange: (leader) => isAlive() && this.#checked(() => this.#heardOfLeader(leader)),
    })
    this.#node = node
    wire.attach({ host: this.name, clock, node })
    node.start()
  }

  #logger(): Logger {
    const logger: Logger = {
      ...silentLogger(),
      info: (fields) => {
        if ('role' in fields && fields.role === 'leader') this.#deps.onElected(this)
      },
      child: () => logger,
    }
    return logger
  }

  /** The process ends by itself, as one does that has lost its disk. */
  #exit(env: Env, error: unknown): void {
    const { clock } = this.machine
    if (env.clock !== clock) return
    this.#deps.trace.note(`exits: ${String(error)}`, this.name)
    clock.setTimer(0, () => this.machine.kill())
  }

  #load({ id, records }: Snapshot): void {
    const sum = records.map((record) => new TextDecoder().decode(record)).join('')
    this.#state = { endOffset: id.endOffset, epoch: id.epoch, sum }
    if (id.endOffset > 0) this.#deps.truth.agrees(`${this.name}, snapshot`, this.#state)
    this.#deps.trace.note(`loads a snapshot of ${id.endOffset}`, this.name)
  }

  #apply(committed: readonly CommittedBatch[]): void {
    for (const batch of committed) {
      const { endOffset } = this.#state
      hold(batch.baseOffset === endOffset, `${this.name}: heard up to ${endOffset}, then ${batch.baseOffset}`)
      this.#state = digestBehind(this.#state, batch)
      this.#lastTimestampMs = batch.appendTimestampMs
      this.#deps.truth.committed(this.name, batch, this.#state)
    }
    this.#sinceSnapshot += committed.length
    if (this.#sinceSnapshot >= SNAPSHOT_EVERY) this.#takeSnapshot()
  }

  #heardOfLeader(leader: LeaderAndEpoch): void {
    this.#deps.trace.note(`leader ${leader.leaderId} in epoch ${leader.epoch}`, this.name)
    this.#deps.truth.leads(leader)
  }

  /** What can be seen of the node at any time. */
  look(): void {
    const { node } = this
    if (node === undefined) return
    if (node.role === 'leader') this.#deps.truth.leads(node.leaderAndEpoch)
    const { highWatermark } = node
    hold(
      highWatermark >= this.#highWatermark,
      `${this.name}: high watermark ${this.#highWatermark}, then ${highWatermark}`,
    )
    this.#highWatermark = highWatermark
  }

  #takeSnapshot(): void {
    this.#sinceSnapshot = 0
    const { endOffset, epoch, sum } = this.#state
    const records = [new TextEncoder().encode(sum)]
    const taking = this.#node?.createSnapshot({ endOffset, epoch }, this.#lastTimestampMs, records)
    taking?.catch((error: unknown) => this.#deps.trace.note(`no snapshot: ${String(error)}`, this.name))
  }

  #checked(check: () => void): void {
    try {
      check()
    } catch (error) {
      this.#deps.fail(error)
    }
  }
}
