import type { Mutant } from '../planted.ts'

/** Leaders, followers, the ISR, and the fetches of consumers. */
export const REPLICATION: readonly Mutant[] = [
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
    name: 'a copy in another log dir takes over before it has all',
    simulation: 'cluster',
    file: 'broker/replication/log-dir-mover.ts',
    from: 'while (future.logEndOffset < log.logEndOffset) await copyStep(log, future)',
    to: 'if (future.logEndOffset < 0) await copyStep(log, future)',
  },
]
