import { expect, test } from '@jest/globals'
import { controlBatch, kraftVersion, kraftVoters } from '../../../broker/raft/control-records.ts'
import { openMetadataLog } from '../../../broker/raft/metadata-log.ts'
import { QuorumHistory } from '../../../broker/raft/quorum-history.ts'
import { RaftCore } from '../../../broker/raft/raft-core.ts'
import { SnapshotStore } from '../../../broker/raft/snapshot-store.ts'
import { mayStand } from '../../../broker/raft/state.ts'
import { buildBatch } from '../../../broker/records/build.ts'
import { silentLogger } from '../../fakes/logger.ts'
import { METADATA_DIR, RaftBench, values } from './harness.ts'

test('a cut that goes deeper for damage takes the voters with it that were in the damaged part', async () => {
  const { options, env, machine } = new RaftBench(1)
  const transport = { request: () => Promise.reject(new Error('nobody is there')) }
  const deps = { ...env, logger: silentLogger(), transport, onFailure: () => {}, onWritten: () => {} }
  const opened = await openMetadataLog(options, deps)
  const [value = new Uint8Array(0)] = values('a')
  const records = () => buildBatch({ records: [{ key: null, value }], baseTimestampMs: 0 })
  const { staticVoters: voters } = options
  const batches = [
    records(),
    controlBatch([kraftVersion(1), kraftVoters(voters)], { baseOffset: 0, epoch: 1, timestampMs: 0 }),
    records(),
    records(),
  ]
  const [first, second] = batches.map(({ length }) => length)
  for (const batch of batches) opened.log.appendAsLeader(batch, 1, 'REPLICATION')
  await opened.log.flush()
  const history = new QuorumHistory({ offset: -1, kraftVersion: 0, voters, votersOffset: -1 })
  history.append(1, { kraftVersion: 1, voters })
  const quorumState = { epoch: 1, leaderId: -1, votedId: -1, votedDirectoryId: '' }
  const snapshots = new SnapshotStore({ directory: METADATA_DIR, retention: options.retention }, deps, opened)
  const core = new RaftCore(options, deps, { log: opened.log, snapshots, history, startOffset: 0, quorumState })
  for (const batchEnd of [(first ?? 0) + (second ?? 0), opened.log.sizeInBytes()]) {
    machine.disk.corrupt(`${METADATA_DIR}/00000000000000000000.log`, batchEnd - 1)
  }
  await core.truncate(4)
  expect(opened.log.logEndOffset).toBe(1)
  expect(history.current).toMatchObject({ kraftVersion: 0, votersOffset: -1 })
})

test('who was added since the snapshot, and has removed itself, stands for election when it comes back', async () => {
  const { options, env } = new RaftBench(1)
  const transport = { request: () => Promise.reject(new Error('nobody is there')) }
  const deps = { ...env, logger: silentLogger(), transport, onFailure: () => {}, onWritten: () => {} }
  const opened = await openMetadataLog(options, deps)
  const { staticVoters: voters } = options
  const history = new QuorumHistory({ offset: -1, kraftVersion: 1, voters: [], votersOffset: -1 })
  history.append(1, { kraftVersion: undefined, voters })
  history.append(2, { kraftVersion: undefined, voters: [] })
  const quorumState = { epoch: 1, leaderId: -1, votedId: -1, votedDirectoryId: '' }
  const snapshots = new SnapshotStore({ directory: METADATA_DIR, retention: options.retention }, deps, opened)
  const core = new RaftCore(options, deps, { log: opened.log, snapshots, history, startOffset: 0, quorumState })
  expect(mayStand(core.state)).toBe(true)
})
