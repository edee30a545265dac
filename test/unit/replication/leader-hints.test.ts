import { describe, expect, test } from '@jest/globals'
import { ClusterView } from '../../../broker/handlers/cluster-view.ts'
import { LeaderHints } from '../../../broker/handlers/leader-hints.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { uuid } from '../metadata/records.ts'
import { TestCluster } from './cluster.ts'
import { TOPIC, TOPIC_ID } from './fake-controller.ts'

const NAMED = { topic: TOPIC, topicId: TOPIC_ID, index: 0 }

async function hints(): Promise<{ cluster: TestCluster; hints: LeaderHints }> {
  const cluster = await TestCluster.start(3)
  cluster.createTopic([1, 2])
  await cluster.run(100)
  const view = new ClusterView(cluster.controller.image, { clusterId: uuid(1), controllerId: -1 })
  return { cluster, hints: new LeaderHints({ listener: 'PLAINTEXT' }, { cluster: () => view }) }
}

describe('a client that comes to the wrong broker', () => {
  test('hears of the leader from a follower, and where it listens', async () => {
    const { cluster, hints: told } = await hints()
    const hint = told.of(ErrorCode.NOT_LEADER_OR_FOLLOWER, cluster.broker(2).partition(), NAMED)
    expect(hint).toEqual({ leaderId: 1, leaderEpoch: 0 })
    expect(told.endpoints).toEqual([{ nodeId: 1, host: 'b1', port: 9092, rack: 'rack-1' }])
  })

  test('hears of it from a broker without a replica, by topic name as by id', async () => {
    const { hints: told } = await hints()
    for (const topicId of [TOPIC_ID, undefined]) {
      const hint = told.of(ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_LEADER_OR_FOLLOWER, { ...NAMED, topicId })
      expect(hint).toEqual({ leaderId: 1, leaderEpoch: 0 })
    }
    expect(told.endpoints).toHaveLength(1)
  })

  test.each([ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])('hears of none with error %i', async (error) => {
    const { hints: told } = await hints()
    expect(told.of(error, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, NAMED)).toEqual({ leaderId: -1, leaderEpoch: -1 })
    expect(told.endpoints).toEqual([])
  })
})
