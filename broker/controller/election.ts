import { NO_LEADER } from '../metadata/image.ts'

/**
 * Who is looked for first. clean: the leader that is there, then any replica in sync or, without one, eligible; preferred: the first
 * replica before the leader that is there; unclean: as clean, and in the end any replica.
 */
export type ElectionType = 'clean' | 'preferred' | 'unclean'

export interface Candidates {
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  /** Eligible leader replicas. */
  readonly elr: readonly number[]
  readonly leader: number
  /** The leader of last resort: where nobody is in sync or eligible, it has at least what it had itself. */
  readonly lastKnownLeader: number | undefined
}

export interface Elected {
  /** NO_LEADER: none. */
  readonly leader: number
  readonly isr: readonly number[]
  readonly elr: readonly number[]
  /** The leader was not in sync: records may be lost. */
  readonly isUnclean: boolean
}

/** Who is to lead, and the ISR under it. The leader that is there stays as it is, whatever the ISR. */
export function elect(candidates: Candidates, type: ElectionType, mayLead: (id: number) => boolean): Elected {
  const { isr, elr, leader: before } = candidates
  const clean = cleanLeader(candidates, type, mayLead)
  const leader = clean ?? uncleanLeader(candidates, type, mayLead) ?? NO_LEADER
  if (leader === before) return { leader, isr, elr, isUnclean: false }
  const isUnclean = clean === undefined && leader !== NO_LEADER
  if (isUnclean || elr.includes(leader))
    return { leader, isr: [leader], elr: elr.filter((id) => id !== leader), isUnclean }
  return { leader, isr, elr, isUnclean }
}

function cleanLeader(
  { replicas, isr, elr, leader }: Candidates,
  type: ElectionType,
  mayLead: (id: number) => boolean,
): number | undefined {
  const isClean = (id: number) => (isr.length > 0 ? isr : elr).includes(id) && mayLead(id)
  const [preferred = NO_LEADER] = replicas
  if (type === 'preferred' && isClean(preferred)) return preferred
  return isClean(leader) ? leader : replicas.find(isClean)
}

function uncleanLeader(
  { replicas, isr, elr, lastKnownLeader }: Candidates,
  type: ElectionType,
  mayLead: (id: number) => boolean,
): number | undefined {
  const isForlorn = isr.length === 0 && elr.length === 0
  if (isForlorn && lastKnownLeader !== undefined && mayLead(lastKnownLeader)) return lastKnownLeader
  return type === 'unclean' ? replicas.find(mayLead) : undefined
}
