import type { Reassignment } from '../../broker/client/admin-topics.ts'
import type { KafkaState, PartitionState } from './state.ts'

/** What ended longer ago than this has been heard of by every broker that is asked, in ms. */
const KNOWN_MS = 10_000

/**
 * The reassignments that may be under way while partitions are read: the controller tells of them, a broker of the partitions, each as of
 * another offset of the metadata log. One that begins in between is in the list of `after`, one that ends in that of `before`. By `moveKey`. Pure.
 */
export function movesAround(
  before: readonly Reassignment[],
  after: readonly Reassignment[],
): ReadonlyMap<string, Reassignment> {
  return new Map([...before, ...after].map((move) => [moveKey(move), move]))
}

export function moveKey({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`
}

interface Told extends Pick<PartitionState, 'topicId' | 'replicas' | 'adding' | 'removing'> {
  readonly atMs: number
}

/**
 * A reassignment that has ended is off the controller's list before the broker hears of it: until then that has the replicas that come and
 * those that go, and nothing says which are which. Taken for what the partition is to have, that is another replication factor. So what was
 * told lately holds as long as the replicas are those of then.
 */
export class RecentMoves {
  readonly #told = new Map<string, Told>()

  /** `state` with the reassignments of which its broker does not know yet that they have ended. `nowMs`: monotonic. */
  complete(state: KafkaState, nowMs: number): KafkaState {
    for (const [key, { atMs }] of this.#told) if (nowMs - atMs > KNOWN_MS) this.#told.delete(key)
    const isQuiet = this.#told.size === 0
    const partitions = isQuiet ? state.partitions : state.partitions.map((partition) => this.#completed(partition))
    for (const { topic, partition, topicId, replicas, adding, removing } of state.partitions) {
      if (adding.length === 0 && removing.length === 0) continue
      this.#told.set(moveKey({ topic, partition }), { topicId, replicas, adding, removing, atMs: nowMs })
    }
    return isQuiet ? state : { ...state, partitions }
  }

  #completed(now: PartitionState): PartitionState {
    if (now.adding.length > 0 || now.removing.length > 0) return now
    const told = this.#told.get(moveKey(now))
    return told === undefined || !isStale(now, told) ? now : { ...now, adding: told.adding, removing: told.removing }
  }
}

/** Where all of its replicas are those that it was to have, in sync, it has ended well. */
function isStale({ topicId, replicas, isr }: PartitionState, told: Told): boolean {
  if (topicId !== told.topicId || replicas.join() !== told.replicas.join()) return false
  return told.adding.length > 0 && (told.removing.length > 0 || told.adding.some((id) => !isr.includes(id)))
}
