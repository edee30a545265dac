import { describe, expect, test } from '@jest/globals'
import type { ServerConfig } from '../../../broker/config/server-config.ts'
import type { ResponseOf } from '../../../broker/protocol/apis.ts'
import type { ApiKey } from '../../../broker/protocol/api-key.ts'
import type { LeaderLink } from '../../../broker/replication/leader-link.ts'
import { ReplicaFetcher } from '../../../broker/replication/replica-fetcher.ts'
import { FollowerThrottle } from '../../../broker/replication/throttle.ts'
import { Metrics } from '../../../broker/telemetry/metrics.ts'
import { settle } from '../../fakes/clock.ts'
import { silentLogger } from '../../fakes/logger.ts'
import { batchOf } from '../storage/fixture.ts'
import { FetchBed, FOLLOWER } from './fetch-clients.ts'
import { NODE } from './rig.ts'

type Answer = ResponseOf<typeof ApiKey.Fetch>

const LEADER = FOLLOWER
const EPOCH = 3
const CONFIG = {
  replicaFetchResponseMaxBytes: 10 * 2 ** 20,
  replicaFetchMaxBytes: 2 ** 20,
  replicaFetchWaitMaxMs: 500,
  replicaFetchMinBytes: 1,
  replicaFetchBackoffMs: 1000,
  replicaSocketTimeoutMs: 30_000,
}

/** A follower of four partitions, each of which gets a batch with the answer, and takes one and a half milliseconds to append it. */
class FetcherRig {
  readonly appended: number[] = []
  readonly bed: FetchBed
  readonly fetcher: ReplicaFetcher
  /** What waits for the end of a turn. */
  readonly deferred: (() => void)[] = []
  #nowMs = 0
  readonly #answer = Promise.withResolvers<Answer>()

  private constructor(bed: FetchBed) {
    this.bed = bed
    const clock = {
      wallMs: () => 0,
      monotonicMs: () => this.#nowMs,
      setTimer: () => ({ cancel: () => {} }),
      defer: (callback: () => void) => void this.deferred.push(callback),
    }
    this.fetcher = new ReplicaFetcher(
      { brokerId: NODE },
      {
        link: this.#link(),
        server: () => CONFIG as unknown as ServerConfig,
        brokerEpoch: () => 1,
        clock,
        logger: silentLogger(),
        metrics: new Metrics({ withProcess: false }, { clock }),
        throttle: new FollowerThrottle({ nodeId: NODE, windows: 11, windowMs: 1000 }, { clock }),
        memory: { take: (size) => new Uint8Array(size), isLent: () => false, giveBack: () => {} },
      },
    )
    for (const partition of bed.partitions) {
      const append = partition.appendAsFollower.bind(partition)
      partition.appendAsFollower = (bytes, epoch) => {
        this.#nowMs += 1.5
        this.appended.push(partition.log.partition)
        return append(bytes, epoch)
      }
      this.fetcher.follow(partition, EPOCH)
    }
  }

  static async open(): Promise<FetcherRig> {
    const bed = await FetchBed.open(4, { leader: LEADER, leaderEpoch: EPOCH, replicas: [NODE, LEADER], isr: [LEADER] })
    const rig = new FetcherRig(bed)
    await settle()
    return rig
  }

  /** Answers once; what is asked after that has no answer. */
  #link(): LeaderLink {
    let requests = 0
    const request = (): Promise<Answer> => (requests++ === 0 ? this.#answer.promise : new Promise(() => {}))
    const link = { leaderId: LEADER, request, takeDropped: () => false, drop: () => {}, close: () => {} }
    return link as unknown as LeaderLink
  }

  /** The leader answers; resolves when the first turn is over. */
  async answer(): Promise<void> {
    const partitions = this.bed.partitions.map(({ log }) => ({
      partitionIndex: log.partition,
      errorCode: 0,
      highWatermark: 0n,
      logStartOffset: 0n,
      divergingEpoch: { epoch: -1, endOffset: -1n },
      records: batchOf(),
    }))
    const [{ topicId } = { topicId: '' }] = this.bed.partitions
    const response = { errorCode: 0, sessionId: 1, responses: [{ topicId, partitions }] }
    this.#answer.resolve(response as unknown as Answer)
    await settle()
  }

  /** Others have had their turn. */
  async goOn(): Promise<void> {
    for (const callback of this.deferred.splice(0)) callback()
    await settle()
  }
}

describe('a follower that is given much', () => {
  test('lets others have turns in between', async () => {
    const rig = await FetcherRig.open()
    await rig.answer()
    expect(rig.appended).toEqual([0, 1])
    await rig.goOn()
    expect(rig.appended).toEqual([0, 1, 2, 3])
  })

  test('leaves out what it has ceased to follow in such a turn', async () => {
    const rig = await FetcherRig.open()
    await rig.answer()
    rig.fetcher.unfollow(rig.bed.partition(2))
    await rig.goOn()
    expect(rig.appended).toEqual([0, 1, 3])
  })

  test('appends nothing once it has been closed in such a turn', async () => {
    const rig = await FetcherRig.open()
    await rig.answer()
    rig.fetcher.close()
    await rig.goOn()
    expect(rig.appended).toEqual([0, 1])
  })
})
