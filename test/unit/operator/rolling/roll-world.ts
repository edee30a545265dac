import * as fc from 'fast-check'
import type { KafkaState, PartitionState } from '../../../../operator/kafka/state.ts'
import type { NodeState } from '../../../../operator/rolling/node-state.ts'
import type { RollInput } from '../../../../operator/rolling/planner.ts'
import { kafkaState, quorumReplica } from '../../../fakes/operator.ts'

export const NOW = 1_000_000_000

/** A pod that is as wanted and serves. */
export function node(nodeId: number, change: Partial<NodeState> = {}): NodeState {
  return {
    podName: `pod-${nodeId}`,
    nodeId,
    isBroker: true,
    isController: false,
    phase: 'ready',
    trouble: '',
    isFailing: false,
    sinceMs: 0,
    reasons: [],
    isForced: false,
    hold: null,
    ...change,
  }
}

export function partition(replicas: readonly number[], change: Partial<PartitionState> = {}): PartitionState {
  return {
    topic: 'orders',
    topicId: 'id-of-orders',
    partition: 0,
    leader: replicas[0] ?? null,
    replicas,
    isr: replicas,
    adding: [],
    removing: [],
    minIsr: 2,
    ...change,
  }
}

/** Kafka with `brokers`, of which `voters` are the controllers. */
export function kafka(
  brokers: readonly number[],
  partitions: readonly PartitionState[],
  change: { voters?: readonly number[]; leaderId?: number; racks?: Readonly<Record<number, string>> } = {},
): KafkaState {
  const { voters = [100], leaderId = voters[0] ?? -1, racks = {} } = change
  return kafkaState({
    brokers: new Map(brokers.map((id) => [id, { rack: racks[id] ?? null }])),
    quorum: { leaderId, voters: voters.map((id) => quorumReplica(id)), observers: [] },
    partitions,
  })
}

export function input(
  nodes: readonly NodeState[],
  state: RollInput['kafka'],
  change: Partial<RollInput> = {},
): RollInput {
  return {
    nodes,
    kafka: state,
    factors: new Map(),
    maxUnavailable: 1,
    isPaused: false,
    closed: null,
    nowMs: NOW,
    ...change,
  }
}

const phases: NodeState['phase'][] = ['ready', 'ready', 'ready', 'ready', 'starting', 'down', 'stopping', 'missing']

/** Any cluster in any state, however it came to it; half of them are nearly well. */
export const anyInput: fc.Arbitrary<RollInput> = fc
  .record({
    brokers: fc.integer({ min: 1, max: 9 }),
    controllers: fc.constantFrom(1, 3, 5),
    isCombined: fc.boolean(),
    isWell: fc.boolean(),
  })
  .chain(({ brokers, controllers, isCombined, isWell }) => {
    const brokerIds = Array.from({ length: brokers }, (_, index) => index)
    const voterIds = Array.from({ length: controllers }, (_, index) => (isCombined ? index : 100 + index))
    const ids = [...new Set([...brokerIds, ...voterIds])]
    const anyNode = (id: number): fc.Arbitrary<NodeState> =>
      fc
        .record({
          phase: isWell ? fc.constant('ready' as const) : fc.constantFrom(...phases),
          reasons: fc.constantFrom([], ['image'], ['image']),
          sinceMs: fc.constantFrom(0, NOW),
          isFailing: fc.nat(9).map((value) => value === 0),
          isForced: fc.boolean(),
          hold: fc.nat(9).map((value) => (value === 0 ? 'its volume is growing' : null)),
        })
        .map((change) => node(id, { ...change, isBroker: brokerIds.includes(id), isController: voterIds.includes(id) }))
    const anyPartition = fc
      .record({
        replicas: fc.shuffledSubarray(brokerIds, { minLength: 1, maxLength: Math.min(4, brokers) }),
        minIsr: fc.integer({ min: 1, max: 3 }),
        gone: fc.nat(isWell ? 30 : 7),
      })
      .map(({ replicas, minIsr, gone }) =>
        partition(replicas, { minIsr, isr: replicas.filter((_, index) => index !== gone) }),
      )
    return fc.record({
      nodes: fc.tuple(...ids.map(anyNode)),
      kafka: fc
        .record({
          partitions: fc.array(anyPartition, { maxLength: 12 }),
          registered: fc.subarray(brokerIds, { minLength: Math.max(0, brokers - 1) }),
          lags: fc.tuple(...voterIds.map(() => fc.constantFrom<(number | null)[]>(0, 0, 0, 0, 50_000, null))),
          leader: fc.constantFrom(...voterIds),
          racks: fc.tuple(...brokerIds.map(() => fc.constantFrom('a', 'b', 'c'))),
          isSilent: fc.nat(9),
        })
        .map(({ partitions, registered, lags, leader, racks, isSilent }) => {
          if (isSilent === 0) return { error: 'connection refused' }
          const named = Object.fromEntries(racks.map((rack, id) => [id, rack]))
          const state = kafka(registered, partitions, { voters: voterIds, leaderId: leader, racks: named })
          const voters = voterIds.map((id, index) => quorumReplica(id, lags[index] ?? null))
          return { ...state, quorum: { ...state.quorum, voters } }
        }),
      factors: fc.constant(new Map<string, number>()),
      maxUnavailable: fc.integer({ min: 1, max: 4 }),
      isPaused: fc.nat(9).map((value) => value === 0),
      closed: fc.nat(9).map((value) => (value === 0 ? 'opens on Saturday' : null)),
      nowMs: fc.constant(NOW),
    })
  })
