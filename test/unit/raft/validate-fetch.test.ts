import { expect, test } from '@jest/globals'
import { LeaderEpochCache } from '../../../broker/storage/leader-epochs.ts'
import { validateFetch } from '../../../broker/raft/validate-fetch.ts'
import { SimDisk } from '../../fakes/disk.ts'

/** A log with the given epochs: each begins at its offset. */
function logOf(epochs: readonly (readonly [number, number])[], logEndOffset: number, logStartOffset = 0) {
  const leaderEpochs = new LeaderEpochCache({ path: '/leader-epoch-checkpoint' }, { disk: new SimDisk() })
  for (const [epoch, offset] of epochs) leaderEpochs.assign(epoch, offset)
  return { logStartOffset, logEndOffset, leaderEpochs }
}

const NO_SNAPSHOT = { oldest: undefined, newest: undefined }
const LOG = logOf(
  [
    [1, 0],
    [2, 10],
    [5, 20],
  ],
  30,
)

test.each([
  [0, 0],
  [30, 5],
  [25, 5],
  [20, 2],
  [10, 1],
])('a replica that ends at %p in epoch %p goes on from there', (offset, epoch) => {
  expect(validateFetch(LOG, NO_SNAPSHOT, offset, epoch)).toEqual({ type: 'valid' })
})

test.each([
  // More of an epoch than the leader has.
  [31, 5, { epoch: 5, endOffset: 30 }],
  [21, 2, { epoch: 2, endOffset: 20 }],
  // An epoch of which the leader has nothing: the latest before it.
  [25, 3, { epoch: 2, endOffset: 20 }],
  // A later epoch than any of the leader's.
  [25, 6, { epoch: 5, endOffset: 30 }],
])('a replica that ends at %p in epoch %p has what the leader has not', (offset, epoch, diverging) => {
  expect(validateFetch(LOG, NO_SNAPSHOT, offset, epoch)).toEqual({ type: 'diverging', ...diverging })
})

test.each([
  [5, 1, 'is before the log'],
  [10, 1, 'ends where the log begins, in another epoch'],
  [25, 1, 'has only epochs that are not in the log'],
])('a replica at %p in epoch %p, which %s, gets the newest snapshot', (offset, epoch) => {
  const log = logOf([[2, 10]], 30, 10)
  const snapshots = { oldest: { endOffset: 10, epoch: 2 }, newest: { endOffset: 15, epoch: 2 } }
  expect(validateFetch(log, snapshots, offset, epoch)).toEqual({ type: 'snapshot', id: snapshots.newest })
  expect(validateFetch(log, snapshots, 10, 2)).toEqual({ type: 'valid' })
})

test('the snapshot of the format command replaces no log', () => {
  const bootstrap = { endOffset: 0, epoch: 0 }
  expect(validateFetch(LOG, { oldest: bootstrap, newest: bootstrap }, 0, 0)).toEqual({ type: 'valid' })
})
