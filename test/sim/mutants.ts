/** A bug to plant: one snippet of one file replaced. The snippet must be there exactly once. */
export interface Mutant {
  readonly name: string
  /** The simulation that is to find it. */
  readonly simulation: 'storage' | 'raft' | 'cluster'
  readonly file: string
  readonly from: string
  readonly to: string
  /** Found within a few seeds: part of the tests. */
  readonly isQuick?: boolean
}

const RAFT: readonly Mutant[] = [
  {
    name: 'a vote is not written before it is given',
    simulation: 'raft',
    file: 'broker/raft/raft-core.ts',
    from: 'writeQuorumState(this.deps.disk, quorumStatePath(this.options), state, quorum)',
    to: 'if (state.votedId < 0) writeQuorumState(this.deps.disk, quorumStatePath(this.options), state, quorum)',
  },
  {
    name: 'an epoch is forgotten at a restart',
    simulation: 'raft',
    file: 'broker/raft/raft-core.ts',
    from: 'epoch: quorumState.epoch,',
    to: 'epoch: 0,',
  },
  {
    name: 'a voter votes twice in an epoch',
    simulation: 'raft',
    file: 'broker/raft/election.ts',
    from: 'return voted === undefined || isSameReplica(voted, candidate)',
    to: 'return true',
  },
  {
    name: 'a vote goes to a log that lacks records',
    simulation: 'raft',
    file: 'broker/raft/election.ts',
    from: 'const isUpToDate = hasAllOf(event, moment.log)',
    to: 'const isUpToDate = true',
  },
  {
    name: 'a log counts by its length, whatever its last epoch',
    simulation: 'raft',
    file: 'broker/raft/election.ts',
    from: 'return lastEpoch > log.lastEpoch || (lastEpoch === log.lastEpoch && endOffset >= log.endOffset)',
    to: 'return lastEpoch >= 0 && endOffset >= log.endOffset',
  },
  {
    name: 'a vote is counted twice',
    simulation: 'raft',
    file: 'broker/raft/election.ts',
    from: 'if (granted.size >= majority(voters)) {',
    to: 'if (granted.size + 1 >= majority(voters)) {',
    isQuick: true,
  },
  {
    name: 'a candidate stands in the epoch that there is',
    simulation: 'raft',
    file: 'broker/raft/election.ts',
    from: "const epoch = state.epoch + 1\n  const role = nominee('candidate'",
    to: "const epoch = state.epoch\n  const role = nominee('candidate'",
    isQuick: true,
  },
  {
    name: 'records of earlier epochs are committed by counting replicas',
    simulation: 'raft',
    file: 'broker/raft/leadership.ts',
    from: 'if (role.epochStartOffset < 0 || committed <= role.epochStartOffset) return unchanged(state)',
    to: 'if (committed < 0) return unchanged(state)',
  },
  {
    name: 'one replica is enough to commit',
    simulation: 'raft',
    file: 'broker/raft/leadership.ts',
    from: 'const committed = offsets[majority(state.voters) - 1]',
    to: 'const committed = offsets[0]',
    isQuick: true,
  },
  {
    name: 'logs that part are not told so',
    simulation: 'raft',
    file: 'broker/raft/validate-fetch.ts',
    from: "return { type: 'diverging', epoch: Math.max(0, end.epoch), endOffset: end.endOffset }",
    to: "return { type: 'valid' }",
  },
  {
    name: 'a replica counts as far as it has come, though its log has parted',
    simulation: 'raft',
    file: 'broker/raft/fetch-server.ts',
    from: 'endOffset: isValid ? offset : undefined',
    to: 'endOffset: offset',
  },
  {
    name: 'a voter that is removed does not stand for election any more',
    simulation: 'raft',
    file: 'broker/raft/state.ts',
    from: 'return isVoter(state) || isVoter({ self: state.self, voters: state.possibleVoters })',
    to: 'return isVoter(state)',
  },
  {
    name: 'the metadata log is not synced',
    simulation: 'raft',
    file: 'broker/raft/metadata-log.ts',
    from: 'flushMessages: 1,',
    to: 'flushMessages: Infinity,',
    isQuick: true,
  },
  {
    name: 'a follower tells of records before they are synced',
    simulation: 'raft',
    file: 'broker/raft/log-fetcher.ts',
    from: 'await patiently(deps.clock, () => log.flush())',
    to: 'log.writeStaged()',
  },
  {
    name: 'a proposal is acknowledged before it is committed',
    simulation: 'raft',
    file: 'broker/raft/raft-node.ts',
    from: 'return this.#core.audience.heard(appended.lastOffset)',
    to: 'return Promise.resolve(appended.lastOffset)',
    isQuick: true,
  },
  {
    name: 'listeners hear what is not committed',
    simulation: 'raft',
    file: 'broker/raft/raft-core.ts',
    from: 'this.audience.advance(effect.offset)',
    to: 'this.audience.advance(this.log.logEndOffset)',
  },
  {
    // The answer of a leader that asks to cut: what is committed by then need not be in this log, though it is as long.
    name: 'a follower takes the high watermark though its log has parted',
    simulation: 'raft',
    file: 'broker/raft/log-fetcher.ts',
    from: 'let highWatermark = -1',
    to: 'let highWatermark = Number(partition.highWatermark)',
  },
  {
    name: 'voters that are cut off the log still count',
    simulation: 'raft',
    file: 'broker/raft/raft-core.ts',
    from: 'if (this.history.truncate(Math.min(offset, this.log.logEndOffset))) this.quorumChanged()',
    to: 'if (offset < 0) this.quorumChanged()',
  },
  {
    name: 'a leader never looks whether anybody still follows',
    simulation: 'raft',
    file: 'broker/raft/leadership.ts',
    from: 'if (!isAlone(state)) return resign(state, moment)',
    to: 'if (state.voters.length < 0) return resign(state, moment)',
  },
]

const REPLICATION: readonly Mutant[] = [
  {
    name: 'acks=all answers once the leader has it',
    simulation: 'cluster',
    file: 'broker/replication/produce.ts',
    from: 'this.#acks === 1 ?',
    to: 'this.#acks !== 0 ?',
  },
  {
    name: 'the high watermark does not wait for the ISR',
    simulation: 'cluster',
    file: 'broker/replication/leadership.ts',
    from: 'if (inSync.includes(remote.brokerId) || this.#isJoining(remote, localOffset, nowMs))',
    to: 'if (inSync.length < 0)',
  },
  {
    name: 'the ISR takes in who has not caught up',
    simulation: 'cluster',
    file: 'broker/replication/leadership.ts',
    from: 'if (remote === undefined || remote.logEndOffset < Math.max(highWatermark, this.epochStartOffset)) return undefined',
    to: 'if (remote === undefined) return undefined',
  },
  {
    // A new leader hears late what is committed: whoever has only so much is not in sync yet.
    name: 'the ISR takes in who lacks what the leader before had committed',
    simulation: 'cluster',
    file: 'broker/replication/leadership.ts',
    from: 'remote.logEndOffset < Math.max(highWatermark, this.epochStartOffset)',
    to: 'remote.logEndOffset < highWatermark',
  },
  {
    // KIP-497: a leader that is cut off the controller goes on alone, while another one is elected.
    name: 'the ISR is as the leader wants it before the controller has agreed',
    simulation: 'cluster',
    file: 'broker/replication/isr.ts',
    from: "return pending.change === 'expand' ? pending.isr : isr",
    to: 'return pending.isr',
  },
  {
    // KIP-966: whoever has left then stays eligible to lead.
    name: 'records are committed with fewer replicas than min.insync.replicas',
    simulation: 'cluster',
    file: 'broker/replication/partition.ts',
    from: 'if (this.isUnderMinIsr) return\n    const committed',
    to: 'const committed',
  },
  {
    // KIP-101, as Kafka had it before 0.11: what the leader told to have committed just now is lost where the next leader falls before this
    // replica has fetched it again.
    name: 'a follower begins at its high watermark',
    simulation: 'cluster',
    file: 'broker/replication/replica-fetcher.ts',
    from: 'this.#plan.add(new Followed(partition, leaderEpoch))',
    to: 'const followed = new Followed(partition, leaderEpoch)\n    this.#plan.add(followed)\n    this.#cut(followed, (log) => log.truncateTo(log.highWatermark))',
  },
  {
    // The same for a replica that has more than its leader, and has not heard yet how much of it is committed: two records under way at a
    // time, and two leaders that fall one behind the other.
    name: 'a follower truncates to its high watermark',
    simulation: 'cluster',
    file: 'broker/replication/replica-fetcher.ts',
    from: 'log.truncateTo(divergencePoint(log, { epoch, endOffset: Number(endOffset) }))',
    to: 'log.truncateTo(epoch + Number(endOffset) < 0 ? divergencePoint(log, { epoch, endOffset: 0 }) : log.highWatermark)',
  },
  {
    name: 'a follower that has parted from its leader goes on',
    simulation: 'cluster',
    file: 'broker/replication/fetch-read.ts',
    from: 'if (limits.replica !== undefined) return log.logEndOffset',
    to: 'if (limits.replica !== undefined) return log.highWatermark',
  },
  {
    name: 'consumers read beyond the high watermark',
    simulation: 'cluster',
    file: 'broker/replication/fetch-read.ts',
    from: 'return limits.readCommitted ? log.lastStableOffset : log.highWatermark',
    to: 'return limits.readCommitted ? log.lastStableOffset : log.logEndOffset',
    isQuick: true,
  },
  {
    name: 'what rests in the session of a consumer is not looked at again',
    simulation: 'cluster',
    file: 'broker/replication/fetch-targets.ts',
    from: "if (event === 'written' && !isReplica) return",
    to: "if (event !== 'role' && !isReplica) return",
  },
  {
    name: 'a fetch is served whatever its leader epoch',
    simulation: 'cluster',
    file: 'broker/replication/partition.ts',
    from: 'if (leaderEpoch !== -1 && leaderEpoch < this.#state.leaderEpoch) return ErrorCode.FENCED_LEADER_EPOCH\n    if (leaderEpoch !== -1 && leaderEpoch > this.#state.leaderEpoch)',
    to: 'if (leaderEpoch < -1) return ErrorCode.FENCED_LEADER_EPOCH\n    if (leaderEpoch > 1_000_000)',
  },
  {
    name: 'appends are not fit for an idempotent producer: what comes twice is appended twice',
    simulation: 'cluster',
    file: 'broker/storage/producer-state.ts',
    from: "const duplicate = origin === 'CLIENT' ? entry?.findDuplicate(view) : undefined\n    if (duplicate !== undefined) return { duplicate }\n    const refusal = (entry ?? new ProducerEntry(view.producerId)).check(view, origin)",
    to: 'const refusal = entry === undefined || origin !== undefined ? undefined : entry.check(view, origin)',
  },
  {
    name: 'producers keep their state when the log is cut',
    simulation: 'cluster',
    file: 'broker/storage/log-cutter.ts',
    from: 'producers.reload(logStartOffset, offset)\n    await replayProducers(segments, producers, offset)\n    // What was cut off',
    to: '// What was cut off',
  },
  {
    name: 'the epochs of a log are kept when it is cut',
    simulation: 'cluster',
    file: 'broker/storage/leader-epochs.ts',
    from: 'this.#entries = this.#entries.filter(({ startOffset }) => startOffset < endOffset)',
    to: 'this.#entries = this.#entries.slice()',
  },
  {
    name: 'appends are acknowledged before they are synced, where they must be',
    simulation: 'storage',
    file: 'broker/storage/log-writer.ts',
    from: 'if (this.#writtenOffset - this.#syncedOffset >= this.config.flushMessages) {',
    to: 'if (this.config.flushMessages < 0) {',
    isQuick: true,
  },
  {
    name: 'segments are not synced',
    simulation: 'storage',
    file: 'broker/storage/log-writer.ts',
    from: 'await Promise.all(dirty.map((segment) => segment.sync()))',
    to: 'await Promise.all(dirty.map(() => Promise.resolve()))',
    isQuick: true,
  },
  {
    name: 'the names of new segments are not synced',
    simulation: 'storage',
    file: 'broker/storage/log-writer.ts',
    from: 'await this.#names.sync(this.#lastName)',
    to: 'await this.#names.sync(0)',
    isQuick: true,
  },
  {
    name: 'reads do not look at checksums',
    simulation: 'cluster',
    file: 'broker/storage/read.ts',
    from: 'verify !== TRUST && (view.baseOffset < nextOffset || (isWhole && !verify(view)))',
    to: 'isWhole && nextOffset < -1',
  },
  {
    name: 'a segment that ends before the next one begins has lost nothing',
    simulation: 'storage',
    file: 'broker/storage/loader.ts',
    from: 'return this.#isGapless || this.#options.isRecoveryPointLost !== true',
    to: 'return this.#isGapless',
  },
  {
    name: 'an orderly shutdown makes the names of logs without records durable',
    simulation: 'storage',
    file: 'broker/storage/loader.ts',
    from: 'this.#hasNewNames || this.#segments.isBlank',
    to: 'this.#hasNewNames',
  },
  {
    name: 'a log ends where its last batch says, be it damaged or not',
    simulation: 'storage',
    file: 'broker/storage/loader.ts',
    from: 'end.nextOffset === this.#options.recoveryPoint',
    to: 'end.nextOffset >= 0',
  },
  {
    name: 'recovery does not look at checksums',
    simulation: 'storage',
    file: 'broker/storage/loader.ts',
    from: 'if (maybeTorn && view.computeCrc() !== view.crc) return false',
    to: 'if (maybeTorn && view.crc < 0) return false',
    isQuick: true,
  },
  {
    name: 'a replica that begins in the midst of a batch refuses it',
    simulation: 'cluster',
    file: 'broker/storage/log-appender.ts',
    from: 'const reachesBack = sizeInBytes > 0 && this.#reachesBack(view)',
    to: 'const reachesBack = false',
  },
  {
    name: 'a copy in another log dir takes over before it has all',
    simulation: 'cluster',
    file: 'broker/replication/log-dir-mover.ts',
    from: 'while (future.logEndOffset < log.logEndOffset) await copyStep(log, future)',
    to: 'if (future.logEndOffset < 0) await copyStep(log, future)',
  },
]

const CONTROLLER: readonly Mutant[] = [
  {
    name: 'the controller answers before its records are committed',
    simulation: 'cluster',
    file: 'broker/controller/metadata-writer.ts',
    from: '    await this.#pending\n    return response',
    to: '    this.#pending.catch(() => undefined)\n    return response',
  },
  {
    name: 'a leader need not be in sync',
    simulation: 'cluster',
    file: 'broker/controller/election.ts',
    from: 'const isClean = (id: number) => (isr.length > 0 ? isr : elr).includes(id) && mayLead(id)',
    to: 'const isClean = (id: number) => isr.length + elr.length >= 0 && mayLead(id)',
  },
  {
    name: 'a new leader has the epoch of the one before',
    simulation: 'cluster',
    file: 'broker/metadata/partition-after.ts',
    from: 'isElection ? before.leaderEpoch + 1 : before.leaderEpoch',
    to: 'isElection ? before.leaderEpoch : before.leaderEpoch',
    isQuick: true,
  },
  {
    name: 'a broker is not fenced when it has fallen silent',
    simulation: 'cluster',
    file: 'broker/controller/controller.ts',
    from: 'fenceSilent: (intervalMs) => this.#brokers.fenceSilent(intervalMs),',
    to: 'fenceSilent: () => undefined,',
  },
  {
    name: 'a broker that has lost power stays eligible to lead',
    simulation: 'cluster',
    file: 'broker/controller/leader-changes.ts',
    from: 'isr: isr.filter((id) => id !== brokerId),\n    mayHaveLost: brokerId,',
    to: 'isr: isr.filter((id) => id !== brokerId),',
  },
  {
    name: 'a coordinator loads up to the high watermark that it knows',
    simulation: 'cluster',
    file: 'broker/replication/internal-topic.ts',
    from: 'const end = log.logEndOffset',
    to: 'const end = log.highWatermark',
  },
  {
    name: 'a committed offset is acknowledged once the leader has it',
    simulation: 'cluster',
    file: 'broker/replication/internal-topic.ts',
    from: 'await produce([entry], -1,',
    to: 'await produce([entry], 1,',
  },
]

/** All that `npm run sim:mutants` plants. */
export const MUTANTS: readonly Mutant[] = [...RAFT, ...REPLICATION, ...CONTROLLER]
