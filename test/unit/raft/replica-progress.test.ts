import { expect, test } from '@jest/globals'
import { ReplicaProgress } from '../../../broker/raft/replica-progress.ts'
import { SimWorld } from '../../fakes/env.ts'

test('observers that come and go are forgotten, also where nobody asks for them', async () => {
  const { clock } = new SimWorld({ seed: 1 })
  const progress = new ReplicaProgress({ clock })
  const replica = (id: number) => ({ id, directoryId: `directory ${id}` })
  progress.fetched(replica(1), 1, 1)
  await clock.run(300_001)
  expect(progress.get(replica(1))).toBeDefined()
  progress.fetched(replica(2), 1, 1)
  expect(progress.get(replica(1))).toBeUndefined()
  expect(progress.list().map(({ replica: { id } }) => id)).toEqual([2])
})
