import type { AdminClient } from '../../broker/client/admin-client.ts'
import { committedOffsets, countMembers, endOffsets, listGroups } from '../../broker/client/admin-groups.ts'
import type { CommittedOffset, GroupListing } from '../../broker/client/admin-groups.ts'
import type { GroupState, GroupTopic } from './group-state.ts'
import type { KafkaState } from './state.ts'

/** The groups that one coordinator has, with what they have committed. */
interface Coordinated {
  readonly listing: GroupListing
  readonly members: number | null
  readonly committed: readonly CommittedOffset[]
}

/** Every group of a cluster and how far it is behind, by name. Rejects with KafkaError. */
export async function readGroups(client: AdminClient, kafka: KafkaState): Promise<GroupState[]> {
  const found = await Promise.all([...kafka.brokers.keys()].map((id) => readCoordinator(client, id, kafka)))
  const groups = found.flat()
  const ends = await readEnds(client, kafka, groups)
  return groups
    .map(({ listing: { groupId, state, coordinator }, members, committed }) => ({
      groupId,
      state,
      members,
      coordinator,
      topics: topicsOf(committed, ends),
    }))
    .sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
}

async function readCoordinator(client: AdminClient, id: number, kafka: KafkaState): Promise<Coordinated[]> {
  const listings = await listGroups(client, id)
  if (listings.length === 0) return []
  const ids = listings.map(({ groupId }) => groupId)
  const [members, committed] = await Promise.all([countMembers(client, id, ids), committedOffsets(client, id, ids)])
  const names = new Map(kafka.partitions.map(({ topicId, topic }) => [topicId, topic]))
  const named = ({ topic, topicId, ...rest }: CommittedOffset): CommittedOffset[] => {
    const name = topic === '' ? names.get(topicId) : topic
    return name === undefined ? [] : [{ ...rest, topicId, topic: name }]
  }
  return listings.map((listing) => ({
    listing,
    members: members.get(listing.groupId) ?? null,
    committed: (committed.get(listing.groupId) ?? []).flatMap(named),
  }))
}

/** The ends of all partitions that any group has an offset of, each asked of its leader. */
async function readEnds(
  client: AdminClient,
  kafka: KafkaState,
  groups: readonly Coordinated[],
): Promise<Map<string, number>> {
  const wanted = new Set(groups.flatMap(({ committed }) => committed.map(keyOf)))
  const led = kafka.partitions.filter((partition) => partition.leader !== null && wanted.has(keyOf(partition)))
  const asked = [...Map.groupBy(led, ({ leader }) => leader ?? -1)].map(([leader, some]) =>
    // A leader that has just gone: its partitions have no lag this time.
    endOffsets(client, leader, some).catch(() => new Map<string, number>()),
  )
  return new Map((await Promise.all(asked)).flatMap((ends) => [...ends]))
}

function topicsOf(committed: readonly CommittedOffset[], ends: ReadonlyMap<string, number>): GroupTopic[] {
  return [...Map.groupBy(committed, ({ topic }) => topic)].map(([topic, some]) => ({
    topic,
    partitions: some.length,
    lag: some.reduce((sum, each) => sum + Math.max(0, (ends.get(keyOf(each)) ?? each.offset) - each.offset), 0),
    committed: some.reduce((sum, { offset }) => sum + offset, 0),
  }))
}

function keyOf({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}/${partition}`
}
