import type { KafkaRebalanceStatus } from '../api/kafkarebalance.ts'
import type { KafkaRebalance } from '../api/resource.ts'
import type { KafkaState } from '../kafka/state.ts'
import type { BrokerDisks } from '../reassignment/admin.ts'
import type { Move, Scope } from '../reassignment/placement.ts'
import type { Planning } from '../reassignment/planning.ts'
import { planTargets } from '../reassignment/targets.ts'

export type PlanStatus = NonNullable<KafkaRebalanceStatus['plan']>

export type Proposal = { readonly moves: readonly Move[]; readonly plan: PlanStatus } | { readonly refusal: string }

export interface ProposalInput {
  readonly kafka: KafkaState
  readonly disks: ReadonlyMap<number, BrokerDisks>
  /** Brokers that the cluster is to have. */
  readonly staying: ReadonlySet<number>
  /** Brokers that the cluster is being emptied of. */
  readonly leaving: ReadonlySet<number>
}

/** What a KafkaRebalance would do, or why it cannot. Pure. */
export function* propose({ spec }: KafkaRebalance, input: ProposalInput): Planning<Proposal> {
  const named = spec.brokers ?? []
  const unknown = named.filter((id) => !input.kafka.brokers.has(id))
  if (unknown.length > 0)
    return { refusal: `spec.brokers: ${unknown.join(', ')} are not brokers of the cluster that are there` }
  const isRemoval = spec.mode === 'remove-brokers'
  const leaving = new Set([...input.leaving, ...(isRemoval ? named : [])])
  const result = yield* planTargets({ ...input, leaving, factors: new Map(), scope: scopeOf(spec.mode, named) })
  const [problem] = result.unplaceable
  if (problem !== undefined) {
    return { refusal: `${problem.topic}-${problem.partition} cannot be placed: ${problem.why}` }
  }
  const moving = result.moves.filter(({ from, to }) => added(from, to) > 0 || from.length !== to.length)
  return {
    moves: result.moves,
    plan: {
      moves: moving.length,
      reorders: result.moves.length - moving.length,
      bytes: moving.reduce((sum, { from, to, bytes }) => sum + bytes * added(from, to), 0),
      before: result.before,
      after: result.after,
    },
  }
}

function scopeOf(mode: KafkaRebalance['spec']['mode'], brokers: readonly number[]): Scope {
  if (mode === 'full') return { mode: 'full' }
  return mode === 'add-brokers' ? { mode: 'add', onto: new Set(brokers) } : { mode: 'repair' }
}

function added(from: readonly number[], to: readonly number[]): number {
  return to.filter((id) => !from.includes(id)).length
}
