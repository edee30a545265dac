import { Controller, type ControllerDeps, type ControllerOptions } from '../../../broker/controller/controller.ts'
import type { MetadataImage } from '../../../broker/metadata/image.ts'
import { decodeMetadataRecord, type MetadataRecord } from '../../../broker/protocol/metadata-record.ts'
import { NotLeaderError } from '../../../broker/raft/raft-types.ts'
import { settle, SimClock } from '../../fakes/clock.ts'
import { silentLogger } from '../../fakes/logger.ts'
import { SimRandom } from '../../fakes/random.ts'
import { RULES, SETTINGS } from './cluster.ts'

/** A quorum that commits when it is told to. */
export class ManualQuorum {
  nextOffset = 100
  readonly kraftVersion = 1
  readonly quorumInfo = () => ({ voters: [{ id: 1 }] })
  readonly upgradeKraftVersion = () => null
  resignations = 0
  readonly resign = async () => {
    this.resignations++
  }
  readonly proposed: MetadataRecord[][] = []
  #pending: { resolve: (offset: number) => void; reject: (error: Error) => void }[] = []

  propose(records: readonly Uint8Array[]): Promise<number> {
    this.proposed.push(records.map((bytes) => decodeMetadataRecord(bytes)))
    this.nextOffset += records.length
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject })
    })
  }

  async commit(): Promise<void> {
    for (const { resolve } of this.#pending.splice(0)) resolve(this.nextOffset - 1)
    await settle()
  }

  async depose(): Promise<void> {
    for (const { reject } of this.#pending.splice(0)) reject(new NotLeaderError('deposed'))
    await settle()
  }

  /** The types of the records of each proposal. */
  get types(): string[] {
    return this.proposed.map((records) => records.map(({ type }) => type.replace('Record', '')).join(' '))
  }
}

export class Bench {
  readonly quorum = new ManualQuorum()
  readonly clock = new SimClock()
  readonly controller: Controller

  /** What is committed: change it before the controller is activated. */
  image: MetadataImage

  constructor(image: MetadataImage, options: Partial<ControllerOptions> = {}, more: Partial<ControllerDeps> = {}) {
    this.image = image
    const committed = () => this.image
    this.controller = new Controller(
      {
        clusterId: 'cluster',
        defaults: { numPartitions: 1, replicationFactor: 1 },
        ...SETTINGS,
        nodeId: 1,
        leaderImbalanceCheckIntervalMs: 0,
        brokerSessionTimeoutMs: 9000,
        maxIdleIntervalMs: 0,
        bootstrap: [],
        ...options,
      },
      {
        quorum: this.quorum,
        metadata: {
          get image() {
            return committed()
          },
          isInTransaction: false,
        },
        configs: RULES,
        clock: this.clock,
        random: new SimRandom(1),
        logger: silentLogger(),
        ...more,
      },
    )
  }

  /** Asks for a topic; the result is undefined until it is answered. */
  create(name: string): { errorCode: number | undefined } {
    const topic = { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
    const answer: { errorCode: number | undefined } = { errorCode: undefined }
    this.controller.createTopics({ topics: [topic], timeoutMs: 0, validateOnly: false }).then(
      ({ topics }) => {
        answer.errorCode = topics?.[0]?.errorCode
      },
      () => {
        answer.errorCode = -2
      },
    )
    return answer
  }

  /** A heartbeat of a broker as `clusterOf` registers it; commits what it makes. */
  async beat(brokerId: number, more: { at?: number; shutDown?: boolean } = {}) {
    const answer = this.controller.brokerHeartbeat({
      brokerId,
      brokerEpoch: BigInt(brokerId + 100),
      currentMetadataOffset: BigInt(more.at ?? 1000),
      wantFence: false,
      wantShutDown: more.shutDown ?? false,
      offlineLogDirs: [],
      cordonedLogDirs: null,
    })
    await settle()
    await this.quorum.commit()
    return answer
  }
}
