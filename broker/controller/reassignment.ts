/** The replicas of a partition, those that come, and those that go (KIP-455). `replicas` has all of them. */
export interface Assignment {
  readonly isr: readonly number[]
  readonly replicas: readonly number[]
  readonly removingReplicas: readonly number[]
  readonly addingReplicas: readonly number[]
}

export function isReassigning({
  removingReplicas,
  addingReplicas,
}: Pick<Assignment, 'removingReplicas' | 'addingReplicas'>): boolean {
  return removingReplicas.length + addingReplicas.length > 0
}

/**
 * Without the replicas that go, once all that come are in sync; as it is while they are not. Where fewer come than go, every replica that
 * stays must be in sync.
 */
export function completeReassignment(assignment: Assignment): Assignment {
  if (!isReassigning(assignment)) return assignment
  const { removingReplicas, addingReplicas } = assignment
  const stays = (id: number) => !removingReplicas.includes(id)
  const isr = assignment.isr.filter(stays)
  const replicas = assignment.replicas.filter(stays)
  if (removingReplicas.length > 0 && (isr.length === 0 || replicas.length === 0)) return assignment
  if (!addingReplicas.every((id) => isr.includes(id))) return assignment
  if (addingReplicas.length < removingReplicas.length && !replicas.every((id) => isr.includes(id))) return assignment
  return { isr, replicas, removingReplicas: [], addingReplicas: [] }
}

/**
 * Towards `target`: what goes is kept, at the end, until what comes is in sync. That is also what an earlier reassignment was adding and this one
 * wants too; what it was adding and this one does not want goes. (Kafka leaves a list that would become empty as it was, and never ends.)
 */
export function startReassignment(
  { replicas, addingReplicas: coming }: Pick<Assignment, 'replicas' | 'addingReplicas'>,
  target: readonly number[],
): Pick<Assignment, 'replicas' | 'removingReplicas' | 'addingReplicas'> {
  const byId = (a: number, b: number) => a - b
  const removingReplicas = replicas.filter((id) => !target.includes(id)).toSorted(byId)
  const addingReplicas = target.filter((id) => !replicas.includes(id) || coming.includes(id)).toSorted(byId)
  return { replicas: [...target, ...removingReplicas], removingReplicas, addingReplicas }
}
