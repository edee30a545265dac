import { describe, expect, test } from '@jest/globals'
import { parseProperties } from '../../../broker/config/properties.ts'
import { parseServerConfig } from '../../../broker/config/server-config.ts'
import { MetadataDelta } from '../../../broker/metadata/delta.ts'
import { MetadataImage, ResourceType } from '../../../broker/metadata/image.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { MetadataRecord } from '../../../broker/protocol/metadata-record.ts'
import { MetadataPublisher } from '../../../broker/replication/metadata-publisher.ts'
import type { Partition } from '../../../broker/replication/partition.ts'
import { ReplicaManager } from '../../../broker/replication/replica-manager.ts'
import { DEFAULT_INTERVALS } from '../../../broker/storage/log-maintenance.ts'
import type { PartitionLog } from '../../../broker/storage/log.ts'
import { LogManager } from '../../../broker/storage/log-manager.ts'
import { SimClock } from '../../fakes/clock.ts'
import { SimDisk } from '../../fakes/disk.ts'
import { silentLogger } from '../../fakes/logger.ts'
import { SimRandom } from '../../fakes/random.ts'
import { config, record, topic, uuid } from '../metadata/records.ts'
import { NO_COMPUTE, TEST_CONFIG } from '../storage/fixture.ts'
import { NODE, PARTITION_DEPS } from './rig.ts'

const PROPERTIES = `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@broker:9093
listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093
controller.listener.names=CONTROLLER
log.index.size.max.bytes=12000
`

/** A broker's replicas, and the metadata log that they follow. */
class PublisherBed {
  readonly led: string[] = []
  readonly resigned: string[] = []
  readonly followed: Partition[] = []
  /** Every look at the time takes that long, ms. */
  lookMs = 0
  /** How often everything else had its turn. */
  turns = 0
  onTurn = () => {}
  /** The topics whose throttled replicas were looked at. */
  readonly throttled: string[] = []
  #nowMs = 0
  readonly replicas: ReplicaManager
  readonly logs: LogManager
  readonly #publisher: MetadataPublisher
  #image = MetadataImage.EMPTY

  readonly disk: SimDisk

  private constructor(logs: LogManager, disk: SimDisk) {
    this.logs = logs
    this.disk = disk
    const logger = silentLogger()
    const topics = { nameOf: () => undefined, hasPartition: () => false }
    this.replicas = new ReplicaManager({ nodeId: NODE }, { ...PARTITION_DEPS, topics, logger })
    const server = parseServerConfig(parseProperties(PROPERTIES)).config
    this.#publisher = new MetadataPublisher(
      { nodeId: NODE },
      {
        logs,
        replicas: this.replicas,
        fetchers: { follow: (partition) => this.followed.push(partition), stop: () => {} },
        throttles: [{ configure: () => {}, configureTopic: (name) => this.throttled.push(name) }],
        mover: { resume: () => {}, abandon: () => Promise.resolve() },
        assignments: { changed: () => {} },
        server: () => server,
        clock: Object.assign(new SimClock(), {
          monotonicMs: () => (this.#nowMs += this.lookMs),
          defer: (callback: () => void) => {
            this.turns++
            this.onTurn()
            callback()
          },
        }),
        logger,
        onLeader: ({ log, state }) => this.led.push(`${log.topic}-${log.partition} in ${state.leaderEpoch}`),
        onResigned: (name, index) => this.resigned.push(`${name}-${index}`),
      },
    )
  }

  static async open(): Promise<PublisherBed> {
    const clock = new SimClock()
    const disk = new SimDisk({}, { random: new SimRandom(1), clock })
    const logs = await LogManager.open(
      {
        logDirs: ['/data', '/more'],
        clusterId: uuid(1),
        nodeId: NODE,
        defaults: TEST_CONFIG,
        recoveryThreadsPerDataDir: 1,
        producerIdExpirationMs: () => 86_400_000,
        tailCacheBytes: 1 << 20,
        intervals: DEFAULT_INTERVALS,
      },
      { disk, clock, random: new SimRandom(2), compute: NO_COMPUTE, logger: silentLogger() },
    )
    return new PublisherBed(logs, disk)
  }

  stop(): void {
    this.#publisher.stop()
  }

  replaceStrays(strays: readonly PartitionLog[]): Promise<void> {
    return this.#publisher.replaceStrays(strays, this.#image)
  }

  async publish(...records: MetadataRecord[]): Promise<void> {
    const delta = new MetadataDelta(this.#image)
    for (const each of records) delta.replay(each)
    this.#image = delta.finish({ offset: this.#image.provenance.offset + records.length, epoch: 1, timestampMs: 0 })
    await this.#publisher.apply(delta, this.#image)
  }
}

function moved(n: number, partitionId: number, change: object): MetadataRecord {
  return record('PartitionChangeRecord', { topicId: uuid(n), partitionId, ...change })
}

describe('a topic that is assigned here', () => {
  test('gets its logs, and is led', async () => {
    const bed = await PublisherBed.open()
    await bed.publish(...topic(7, 2, 'orders'))
    expect(bed.led).toEqual(['orders-0 in 0', 'orders-1 in 0'])
    expect(bed.replicas.get('orders', 1)).toMatchObject({ topicId: uuid(7), isLeader: true })
    expect(bed.logs.get('orders', 1)?.topicId).toBe(uuid(7))
  })

  test('lets others have their turn where its replicas take long', async () => {
    const bed = await PublisherBed.open()
    bed.lookMs = 0.5
    await bed.publish(...topic(7, 20, 'orders'))
    expect(bed.led).toHaveLength(20)
    expect([bed.turns > 2, bed.turns < 10]).toEqual([true, true])
  })

  test('is not opened any further once the broker stops', async () => {
    const bed = await PublisherBed.open()
    bed.lookMs = 3
    bed.onTurn = () => bed.stop()
    await bed.publish(...topic(7, 20, 'orders'))
    expect([bed.turns, bed.led.length < 10]).toEqual([1, true])
  })

  test('is hosted once the log of an earlier topic of its name is set aside', async () => {
    const bed = await PublisherBed.open()
    await bed.logs.getOrCreate('orders', 0, uuid(6), TEST_CONFIG, true)
    await bed.logs.getOrCreate('gone', 0, uuid(5), TEST_CONFIG, true)
    await bed.publish(...topic(7, 2, 'orders'))
    expect(bed.led).toEqual(['orders-1 in 0'])
    await bed.replaceStrays(await bed.logs.setAsideStrays(({ topicId }) => topicId !== uuid(7)))
    expect(bed.led).toEqual(['orders-1 in 0', 'orders-0 in 0'])
    expect(bed.logs.get('orders', 0)).toMatchObject({ topicId: uuid(7), logEndOffset: 0 })
  })

  test('is hosted later where too many files are open now', async () => {
    const bed = await PublisherBed.open()
    bed.disk.fault = (operation, path) => (operation === 'open' && path.endsWith('.log') ? 'EMFILE' : undefined)
    await bed.publish(...topic(7, 3, 'orders'))
    await bed.publish(record('NoOpRecord', {}))
    expect(bed.led).toEqual([])
    bed.disk.fault = undefined
    await bed.publish(record('NoOpRecord', {}))
    expect(bed.led.toSorted()).toEqual(['orders-0 in 0', 'orders-1 in 0', 'orders-2 in 0'])
    expect(bed.logs.directories().every(({ online }) => online)).toBe(true)
  })

  test('has the rules of its settings, and of changes of them', async () => {
    const bed = await PublisherBed.open()
    const set = (value: string) => config(ResourceType.TOPIC, 'orders', 'max.message.bytes', value)
    await bed.publish(...topic(7, 1, 'orders'), set('100'))
    expect(bed.replicas.get('orders', 0)?.rules.maxMessageBytes).toBe(100)
    await bed.publish(set('200'))
    expect(bed.replicas.get('orders', 0)?.rules.maxMessageBytes).toBe(200)
  })

  test('lets others have their turn where the settings of many topics change', async () => {
    const bed = await PublisherBed.open()
    bed.lookMs = 0.5
    const lists = Array.from({ length: 20 }, (_, index) =>
      config(ResourceType.TOPIC, `topic-${index}`, 'leader.replication.throttled.replicas', '0:1'),
    )
    const throttledAtTurn: number[] = []
    bed.onTurn = () => throttledAtTurn.push(bed.throttled.length)
    await bed.publish(...lists)
    expect(bed.throttled).toHaveLength(20)
    // Twice through all topics: what is throttled, and what their logs run with.
    expect(throttledAtTurn).toEqual([3, 7, 11, 15, 19, 20, 20, 20, 20, 20])
  })

  test('is led anew in each epoch', async () => {
    const bed = await PublisherBed.open()
    await bed.publish(...topic(7, 1, 'orders'))
    await bed.publish(moved(7, 0, { leader: 1 }))
    expect(bed.led).toEqual(['orders-0 in 0', 'orders-0 in 1'])
    expect(bed.resigned).toEqual([])
  })

  test('is given up to another leader', async () => {
    const bed = await PublisherBed.open()
    await bed.publish(...topic(7, 1, 'orders'))
    await bed.publish(moved(7, 0, { replicas: [1, 2], isr: [1, 2], leader: 2, directories: [uuid(0), uuid(0)] }))
    expect(bed.resigned).toEqual(['orders-0'])
    expect(bed.replicas.get('orders', 0)?.checkLeader(-1)).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  })

  test('is let go where it moves away', async () => {
    const bed = await PublisherBed.open()
    await bed.publish(...topic(7, 1, 'orders'))
    await bed.publish(moved(7, 0, { replicas: [2], isr: [2], leader: 2, directories: [uuid(0)] }))
    expect(bed.resigned).toEqual(['orders-0'])
    expect(bed.replicas.get('orders', 0)).toBeUndefined()
    expect(bed.logs.get('orders', 0)).toBeUndefined()
  })
})

describe('a topic that is deleted', () => {
  test('takes its logs with it, and whoever waits hears of it', async () => {
    const bed = await PublisherBed.open()
    await bed.publish(...topic(7, 1, 'orders'))
    const told: ErrorCode[] = []
    bed.replicas.get('orders', 0)?.awaitCommitted(5, (error) => told.push(error))
    await bed.publish(record('RemoveTopicRecord', { topicId: uuid(7) }))
    expect(told).toEqual([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
    expect([bed.replicas.get('orders', 0), bed.logs.get('orders', 0)]).toEqual([undefined, undefined])
  })

  test('whose log dir fails meanwhile leaves the broker with its other log dirs', async () => {
    const bed = await PublisherBed.open()
    await bed.publish(...topic(7, 2, 'orders'))
    bed.disk.fault = (operation, path) => (operation === 'sync' && path.startsWith('/data') ? 'EIO' : undefined)
    await bed.publish(record('RemoveTopicRecord', { topicId: uuid(7) }))
    expect(bed.logs.directories().map(({ online }) => online)).toEqual([false, true])
    await bed.publish(...topic(8, 1, 'others'))
    expect(bed.logs.get('others', 0)?.parentDirectory).toBe('/more')
  })

  test('and made again under its name is another', async () => {
    const bed = await PublisherBed.open()
    await bed.publish(...topic(7, 1, 'orders'))
    await bed.publish(record('RemoveTopicRecord', { topicId: uuid(7) }), ...topic(8, 1, 'orders'))
    expect(bed.replicas.get('orders', 0)?.topicId).toBe(uuid(8))
    expect(bed.logs.get('orders', 0)).toMatchObject({ topicId: uuid(8), logEndOffset: 0 })
  })
})
