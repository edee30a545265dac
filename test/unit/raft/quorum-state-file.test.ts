import { expect, test } from '@jest/globals'
import { readQuorumState, writeQuorumState } from '../../../broker/raft/quorum-state-file.ts'
import { SimDisk } from '../../fakes/disk.ts'

const STATE = { epoch: 7, leaderId: 1, votedId: -1, votedDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA' }

function written(kraftVersion: number): { disk: SimDisk; text: string } {
  const disk = new SimDisk()
  writeQuorumState(disk, '/quorum-state', STATE, { kraftVersion, voters: [1, 2] })
  return { disk, text: new TextDecoder().decode(disk.readFile('/quorum-state')) }
}

test('with dynamic voters the file is what Kafka writes in version 1', () => {
  const { disk, text } = written(1)
  expect(text).toBe(
    '{"leaderId":1,"leaderEpoch":7,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}',
  )
  expect(readQuorumState(disk, '/quorum-state')).toEqual(STATE)
})

test('with static voters the file is what Kafka writes in version 0', () => {
  const { disk, text } = written(0)
  expect(text).toBe(
    '{"clusterId":"","leaderId":1,"leaderEpoch":7,"votedId":-1,"appliedOffset":0,"currentVoters":[{"voterId":1},{"voterId":2}],"data_version":0}',
  )
  expect(readQuorumState(disk, '/quorum-state')).toEqual(STATE)
})

test('without a file the epoch is 0 and nobody was voted for', () => {
  expect(readQuorumState(new SimDisk(), '/quorum-state')).toMatchObject({ epoch: 0, leaderId: -1, votedId: -1 })
})

test.each(['', '7', '{"data_version":2}', '{"leaderEpoch":"x","data_version":1}'])('%p is refused', (text) => {
  const disk = new SimDisk()
  disk.replaceFile('/quorum-state', new TextEncoder().encode(text))
  expect(() => readQuorumState(disk, '/quorum-state')).toThrow(
    expect.objectContaining({ code: 'MALFORMED_QUORUM_STATE' }),
  )
})
