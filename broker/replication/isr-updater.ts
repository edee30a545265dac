import type { Clock, Timer } from '../env/clock.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { RequestInputOf, ResponseOf } from '../protocol/apis.ts'
import { ErrorCode, errorName } from '../protocol/errors.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { ControllerRequests } from './controller-requests.ts'
import type { IsrAnswer, IsrProposal } from './isr.ts'
import type { Partition } from './partition.ts'

export interface IsrUpdaterDeps {
  readonly controller: ControllerRequests
  /** Of this broker, as registered last. */
  readonly brokerEpoch: () => number
  readonly clock: Clock
  readonly logger: Logger
}

/** How long after a request that came to nothing the next one goes out. */
const RETRY_MS = 50
/** What a leader says of its recovery from an unclean election: it is over once it leads (KIP-704). */
const RECOVERED = 0

type Response = ResponseOf<typeof ApiKey.AlterPartition>

/** Brings the ISR changes of this broker's leaders to the controller: one AlterPartition at a time, all that wait in one (KIP-497). */
export class IsrUpdater {
  /** Changes that the controller has made, and those that it refused; counted for the metrics. */
  expands = 0
  shrinks = 0
  failures = 0
  readonly #brokerId: number
  readonly #deps: IsrUpdaterDeps
  /** The newest proposal of each partition. */
  readonly #waiting = new Map<Partition, IsrProposal>()
  #inFlight = false
  #retry: Timer | undefined
  #closed = false

  constructor(options: { readonly brokerId: number }, deps: IsrUpdaterDeps) {
    this.#brokerId = options.brokerId
    this.#deps = deps
  }

  propose(partition: Partition, proposal: IsrProposal): void {
    const { log, state } = partition
    this.#deps.logger.info(
      { topic: log.topic, partition: log.partition, from: state.isr, to: proposal.isr },
      `the ISR is to ${proposal.change}`,
    )
    this.#waiting.set(partition, proposal)
    // All that is proposed in one tick goes into one request.
    this.#deps.clock.defer(() => void this.#send())
  }

  close(): void {
    this.#closed = true
    this.#retry?.cancel()
    this.#waiting.clear()
  }

  async #send(): Promise<void> {
    if (this.#closed || this.#inFlight || this.#retry !== undefined || this.#waiting.size === 0) return
    const sent = new Map([...this.#waiting].filter(isCurrent))
    this.#waiting.clear()
    if (sent.size === 0) return
    this.#inFlight = true
    const again = await this.#ask(sent)
    this.#inFlight = false
    for (const [partition, proposal] of again) if (!this.#waiting.has(partition)) this.#waiting.set(partition, proposal)
    if (again.size > 0) this.#sendLater()
    else void this.#send()
  }

  #sendLater(): void {
    if (this.#closed) return
    this.#retry = this.#deps.clock.setTimer(RETRY_MS, () => {
      this.#retry = undefined
      void this.#send()
    })
  }

  /** The proposals that have to be sent again. */
  async #ask(sent: ReadonlyMap<Partition, IsrProposal>): Promise<ReadonlyMap<Partition, IsrProposal>> {
    try {
      const response = await this.#deps.controller.request(ApiKey.AlterPartition, this.#request(sent))
      if (response.errorCode === ErrorCode.NONE) return this.#heard(sent, response)
      this.#deps.logger.warn(
        { error: errorName(response.errorCode) },
        'the controller refused ISR changes; trying again',
      )
    } catch (error) {
      this.#deps.logger.warn({ err: error }, 'ISR changes did not reach the controller; trying again')
    }
    this.failures++
    return sent
  }

  #request(sent: ReadonlyMap<Partition, IsrProposal>): RequestInputOf<typeof ApiKey.AlterPartition> {
    const brokerEpoch = this.#deps.brokerEpoch()
    const topics = Map.groupBy(sent, ([{ topicId }]) => topicId)
    return {
      brokerId: this.#brokerId,
      brokerEpoch: BigInt(brokerEpoch),
      topics: [...topics].map(([topicId, partitions]) => ({
        topicId,
        partitions: partitions.map(([partition, { isr, leaderEpoch, partitionEpoch }]) => ({
          partitionIndex: partition.log.partition,
          leaderEpoch,
          newIsr: [...isr],
          newIsrWithEpochs: isr.map((id) => ({
            brokerId: id,
            brokerEpoch: BigInt(id === this.#brokerId ? brokerEpoch : partition.brokerEpochOf(id)),
          })),
          leaderRecoveryState: RECOVERED,
          partitionEpoch,
        })),
      })),
    }
  }

  #heard(sent: ReadonlyMap<Partition, IsrProposal>, response: Response): Map<Partition, IsrProposal> {
    const answers = new Map<string, IsrAnswer>()
    for (const { topicId, partitions } of response.topics) {
      for (const { partitionIndex, errorCode, isr, leaderEpoch, partitionEpoch } of partitions)
        answers.set(`${topicId}:${partitionIndex}`, { error: errorCode, isr, leaderEpoch, partitionEpoch })
    }
    const again = new Map<Partition, IsrProposal>()
    for (const [partition, proposal] of sent) {
      const answer = answers.get(`${partition.topicId}:${partition.log.partition}`)
      const verdict = answer === undefined ? 'retry' : partition.isrAnswered(proposal, answer)
      if (verdict === 'retry') again.set(partition, proposal)
      if (verdict !== 'done') this.#failed(partition, answer)
      else if (proposal.change === 'expand') this.expands++
      else this.shrinks++
    }
    return again
  }

  #failed({ log }: Partition, answer: IsrAnswer | undefined): void {
    this.failures++
    const error = answer === undefined ? 'no answer' : errorName(answer.error)
    this.#deps.logger.warn({ topic: log.topic, partition: log.partition, error }, 'the ISR was not changed')
  }
}

/** A leader that has been replaced meanwhile needs no answer. */
function isCurrent([partition, proposal]: readonly [Partition, IsrProposal]): boolean {
  return partition.isLeader && partition.state.leaderEpoch === proposal.leaderEpoch
}
