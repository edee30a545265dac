/** The group coordinator moves from broker to broker: what was committed to one is what the next one gives, from its first answer on. */
import { expect, test } from '@jest/globals'
import type { CreatedTopic } from '../../../broker/client/admin-types.ts'
import { GroupOffsets } from './load/group-offsets.ts'
import { TestCluster } from './rig/cluster.ts'
import { leadBy } from './rig/leadership.ts'
import { separate } from './rig/plan.ts'
import { inSync } from './rig/watch.ts'

const MOVES = Number(process.env['MOVES'] ?? 20)
const OFFSETS_TOPIC = '__consumer_offsets'
const TEST_MS_MAX = 60_000 + MOVES * 5000

test(
  'a coordinator that has just come to lead gives every offset that was committed',
  async () => {
    const nodes = separate(['ours'], ['ours', 'ours', 'ours'])
    await using cluster = await TestCluster.start({ name: 'coordinator-moves', nodes })
    await using admin = cluster.admin()
    const made = await admin.createTopics([{ name: 'read', partitions: 2, replicationFactor: 3 }])
    const { topicId } = made.get('read') as CreatedTopic
    await inSync(cluster, 'read')
    using offsets = new GroupOffsets(cluster, 'group', { name: 'read', topicId })
    await offsets.commit(0)
    await inSync(cluster, OFFSETS_TOPIC)
    for (let move = 0; move < MOVES; move++) {
      const { id } = cluster.brokers[move % cluster.brokers.length] as (typeof cluster.brokers)[number]
      await leadBy(cluster, OFFSETS_TOPIC, id, () => offsets.commit(move))
      expect(await offsets.committed()).toBe(move)
    }
  },
  TEST_MS_MAX,
)
