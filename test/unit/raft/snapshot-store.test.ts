import { expect, test } from '@jest/globals'
import { listSnapshots } from '../../../broker/raft/snapshot-file.ts'
import { SnapshotStore } from '../../../broker/raft/snapshot-store.ts'
import { SimClock } from '../../fakes/clock.ts'
import { SimDisk } from '../../fakes/disk.ts'
import { silentLogger } from '../../fakes/logger.ts'
import { SimRandom } from '../../fakes/random.ts'
import { LogBed } from '../storage/fixture.ts'

function snapshotOf(endOffset: number) {
  const id = { endOffset, epoch: 1 }
  return { id, lastContainedLogTimestampMs: 0, kraftVersion: 0, voters: undefined, records: [new Uint8Array(1)] }
}

test('a snapshot of this node is dropped where a newer one of the leader was loaded meanwhile', async () => {
  const clock = new SimClock()
  const disk = new SimDisk({}, { random: new SimRandom(1), clock })
  disk.makeDirectory('/log')
  const opened = { log: await new LogBed().open(), snapshots: [], snapshot: undefined }
  const retention = { maxBytes: -1, maxAgeMs: -1 }
  const store = new SnapshotStore({ directory: '/log', retention }, { disk, clock, logger: silentLogger() }, opened)
  const creating = store.create(snapshotOf(100))
  store.replaceAll({ endOffset: 500, epoch: 2 }, 10)
  await creating
  expect(store.newest?.id.endOffset).toBe(500)
  expect(listSnapshots(disk, '/log')).toEqual([])
  await store.create(snapshotOf(600))
  expect([store.oldest?.id.endOffset, store.newest?.id.endOffset]).toEqual([500, 600])
})
