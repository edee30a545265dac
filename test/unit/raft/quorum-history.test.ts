import { expect, test } from '@jest/globals'
import { QuorumHistory } from '../../../broker/raft/quorum-history.ts'
import { ZERO_UUID } from '../../../broker/lib/uuid.ts'

const voter = (id: number) => ({ id, directoryId: ZERO_UUID, endpoints: [] })

test('the voters from an offset on are those that count there, and all behind them', () => {
  const history = new QuorumHistory({ offset: -1, kraftVersion: 1, voters: [voter(1)], votersOffset: -1 })
  history.append(5, { kraftVersion: undefined, voters: [voter(2)] })
  history.append(9, { kraftVersion: undefined, voters: [voter(3)] })
  const idsFrom = (offset: number) => history.votersFrom(offset).map(({ id }) => id)
  expect([0, 5, 6, 9, 10].map(idsFrom)).toEqual([[1, 2, 3], [1, 2, 3], [2, 3], [2, 3], [3]])
})
