import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { FetchLimits } from '../../../broker/replication/fetch-read.ts'
import type { SessionPartition } from '../../../broker/replication/fetch-target.ts'
import { settle } from '../../fakes/clock.ts'
import {
  type Answered,
  type Changes,
  CONSUMER,
  FetchBed,
  FOLLOWER,
  FullVisitClient,
  naming,
  REPLICA,
  SessionClient,
} from './fetch-clients.ts'
import { LAG_MAX_MS } from './rig.ts'

const PARTITIONS = 3
const OTHER = 3
const ALL = [1, FOLLOWER, OTHER]

interface Client {
  leave: () => void
  restart(): void
  fetch(changes: Changes, limits: FetchLimits): Promise<readonly Answered[]>
}

/** How the client fetches next. */
interface FetchStep {
  readonly maxWaitMs: number
  readonly maxBytes: number
  /** Names what it got records, or an error, of. */
  readonly goesOn: boolean
  readonly tellsEpochs: boolean
  readonly readCommitted: boolean
  readonly forgets: number | undefined
  readonly names: number | undefined
}

/** A broker and a client of it, of whichever kind. */
class World {
  readonly bed: FetchBed
  readonly #client: Client
  readonly #isReplica: boolean
  readonly answers: (readonly Answered[])[] = []
  #brokerEpoch = 7
  #isFetching = false
  #isNew = true
  /** What the session has, and what is to be named next. */
  readonly #asked = new Map<number, SessionPartition>()
  readonly #named = new Map<number, SessionPartition>()
  #answered = 0

  constructor(bed: FetchBed, client: Client, isReplica: boolean) {
    this.bed = bed
    this.#client = client
    this.#isReplica = isReplica
  }

  fetch(step: FetchStep): void {
    if (this.#isFetching) return
    if (step.goesOn) this.#goOn(step.tellsEpochs)
    if (step.names !== undefined && !this.#asked.has(step.names)) this.#named.set(step.names, naming(step.names))
    if (this.#isNew) for (let index = 0; index < PARTITIONS; index++) this.#named.set(index, this.#next(index, step))
    const isKnown = step.forgets !== undefined && !this.#named.has(step.forgets) && !this.#isNew
    const forgotten = isKnown ? [step.forgets] : []
    const named = [...this.#named.values()]
    this.#named.clear()
    for (const index of forgotten) this.#asked.delete(index)
    for (const each of named) this.#asked.set(each.partition, each)
    this.#isNew = false
    this.#isFetching = true
    const { maxWaitMs, maxBytes, readCommitted } = step
    const own: Partial<FetchLimits> = this.#isReplica
      ? { replica: { brokerId: FOLLOWER, brokerEpoch: this.#brokerEpoch } }
      : { readCommitted, mayFollow: true }
    const limits = { ...(this.#isReplica ? REPLICA : CONSUMER), ...own, maxWaitMs, maxBytes }
    void this.#client.fetch({ named, forgotten }, limits).then((answer) => {
      this.answers.push(answer)
      this.#isFetching = false
    })
  }

  #next(index: number, { tellsEpochs }: Pick<FetchStep, 'tellsEpochs'>): SessionPartition {
    const { log, state } = this.bed.partition(index)
    const { fetchOffset } = this.#asked.get(index) ?? naming(index)
    if (!tellsEpochs) return naming(index, { fetchOffset })
    const lastFetchedEpoch = log.leaderEpochs.latestEpoch
    return naming(index, { fetchOffset, lastFetchedEpoch, currentLeaderEpoch: state.leaderEpoch })
  }

  /** As a client does that has taken in what it was answered last. */
  #goOn(tellsEpochs: boolean): void {
    for (const answer of this.answers.slice(this.#answered))
      for (const { partition, values, error, diverging } of answer) {
        const asked = this.#asked.get(partition)
        if (asked === undefined || (values.length === 0 && error === ErrorCode.NONE && diverging === undefined))
          continue
        const end = this.bed.partition(partition).log.logEndOffset
        const fetchOffset = values.length > 0 ? asked.fetchOffset + values.length : (diverging?.endOffset ?? end)
        this.#named.set(partition, { ...this.#next(partition, { tellsEpochs }), fetchOffset })
      }
    this.#answered = this.answers.length
  }

  leave(): void {
    if (this.#isFetching) this.#client.leave()
  }

  restart(): void {
    if (this.#isFetching) return
    this.#client.restart()
    this.#isNew = true
  }

  /** Its process is another one, which nobody has told that it has no session. */
  replaceProcess(): void {
    this.#brokerEpoch++
  }

  /** What must not depend on how much a fetch looks at. */
  get seen(): unknown {
    const now = this.bed.clock.monotonicMs()
    return {
      answers: this.answers,
      proposals: this.bed.proposals,
      partitions: this.bed.partitions.map(({ log, lowWatermark, remotes }) => ({
        offsets: [log.logStartOffset, log.highWatermark, log.logEndOffset, lowWatermark],
        followers: remotes.map((remote) => [
          [remote.brokerId, remote.logEndOffset, remote.logStartOffset, remote.brokerEpoch],
          [0, 1000, LAG_MAX_MS].map((lagMs) => remote.isCaughtUp(log.acknowledgeableOffset, now, lagMs)),
        ]),
      })),
    }
  }
}

type Step = readonly [name: string, run: (world: World) => void | Promise<void>]

const partition = fc.nat(PARTITIONS - 1)
const some = fc.option(partition, { nil: undefined, freq: 5 })
const onPartition = (name: string, run: (bed: FetchBed, index: number) => void | Promise<void>): fc.Arbitrary<Step> =>
  partition.map((index): Step => [`${name} ${index}`, ({ bed }) => run(bed, index)])
const always = (name: string, run: (world: World) => void | Promise<void>): fc.Arbitrary<Step> =>
  fc.constant([name, run])

const fetching: fc.Arbitrary<Step> = fc
  .record({
    maxWaitMs: fc.constantFrom(0, 0, 50, 500),
    maxBytes: fc.constantFrom(1, 150, 1 << 20),
    goesOn: fc.boolean(),
    tellsEpochs: fc.boolean(),
    readCommitted: fc.boolean(),
    forgets: some,
    names: some,
  })
  .map((step): Step => [`fetch ${JSON.stringify(step)}`, (world) => world.fetch(step)])

const STEPS = fc.oneof(
  { weight: 12, arbitrary: fetching },
  { weight: 6, arbitrary: onPartition('append to', (bed, index) => bed.append(index, 'v')) },
  { weight: 2, arbitrary: onPartition('stage in', (bed, index) => bed.stage(index, 'v')) },
  { weight: 2, arbitrary: onPartition('write', (bed, index) => bed.write(index)) },
  { weight: 6, arbitrary: onPartition('the other follower fetches', otherFetches) },
  { weight: 2, arbitrary: onPartition('trim', (bed, index) => trim(bed, index)) },
  { weight: 2, arbitrary: onPartition('resign', (bed, index) => elect(bed, index, OTHER)) },
  { weight: 2, arbitrary: onPartition('lead', (bed, index) => elect(bed, index, 1)) },
  { weight: 2, arbitrary: onPartition('the leader tells', (bed, index) => leaderTells(bed, index)) },
  { weight: 2, arbitrary: onPartition('cut', cut) },
  { weight: 1, arbitrary: onPartition('replace', (bed, index) => bed.replace(index)) },
  {
    weight: 1,
    arbitrary: onPartition('the disk fails', (bed, index) =>
      bed.partition(index).remove(ErrorCode.KAFKA_STORAGE_ERROR),
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(partition, fc.constantFrom(ALL, [1, FOLLOWER], [1, OTHER], [1]))
      .map(([index, isr]): Step => [`ISR of ${index}: ${isr.join()}`, ({ bed }) => bed.update(index, { isr })]),
  },
  {
    weight: 5,
    arbitrary: fc
      .constantFrom(10, 500, 5000, LAG_MAX_MS)
      .map((ms): Step => [`${ms} ms`, ({ bed }) => bed.clock.advance(ms)]),
  },
  { weight: 3, arbitrary: always('shrink', ({ bed }) => bed.partitions.forEach((each) => each.shrinkIsr())) },
  { weight: 3, arbitrary: always('the controller answers', ({ bed }) => answerProposals(bed)) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(FOLLOWER, OTHER).map((id): Step => [`fence ${id}`, ({ bed }) => fence(bed, id)]),
  },
  { weight: 1, arbitrary: always('leave', (world) => world.leave()) },
  { weight: 1, arbitrary: always('restart', (world) => world.restart()) },
  { weight: 1, arbitrary: always('another process', (world) => world.replaceProcess()) },
)

function otherFetches(bed: FetchBed, index: number): void {
  const { log } = bed.partition(index)
  const { logEndOffset: fetchOffset, logStartOffset } = log
  bed.partition(index).fetchedBy(OTHER, { fetchOffset, logStartOffset, brokerEpoch: -1 })
}

function trim(bed: FetchBed, index: number): void {
  const { log } = bed.partition(index)
  log.incrementLogStartOffset(log.highWatermark)
}

function elect(bed: FetchBed, index: number, leader: number): void {
  const { state, isBusy } = bed.partition(index)
  if (!isBusy) bed.update(index, { leader, leaderEpoch: state.leaderEpoch + 1 })
}

function leaderTells(bed: FetchBed, index: number): void {
  const { isLeader, log } = bed.partition(index)
  if (!isLeader) bed.partition(index).followed(log.logEndOffset, log.logStartOffset)
}

async function cut(bed: FetchBed, index: number): Promise<void> {
  const replica = bed.partition(index)
  if (replica.isLeader || replica.isOffline) return
  await replica.truncate((log) => log.truncateTo(Math.max(log.logStartOffset, log.logEndOffset - 1)))
}

function answerProposals(bed: FetchBed): void {
  for (const [index, proposal] of bed.proposals.splice(0)) {
    const { isr, leaderEpoch, partitionEpoch } = proposal
    bed.partition(index).isrAnswered(proposal, { error: 0, isr, leaderEpoch, partitionEpoch: partitionEpoch + 1 })
  }
}

function fence(bed: FetchBed, id: number): void {
  if (!bed.fenced.delete(id)) bed.fenced.add(id)
  for (const each of bed.partitions) each.reconsider()
}

async function worlds(isReplica: boolean): Promise<readonly [World, World]> {
  const state = { replicas: ALL, isr: ALL }
  const [bed, reference] = [await FetchBed.open(PARTITIONS, state), await FetchBed.open(PARTITIONS, state)]
  return [
    new World(bed, new SessionClient(bed), isReplica),
    new World(reference, new FullVisitClient(reference), isReplica),
  ]
}

test.each([
  ['follower', true],
  ['consumer', false],
])('a fetch of a %s gives, and brings about, what looking at every partition would', async (_, isReplica) => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEPS, { minLength: 10, maxLength: 60 }), async (steps) => {
      const [world, reference] = await worlds(isReplica)
      for (const [, run] of steps) {
        for (const each of [world, reference]) await run(each)
        await settle()
        expect(world.seen).toEqual(reference.seen)
      }
    }),
    { numRuns: 50 },
  )
})
