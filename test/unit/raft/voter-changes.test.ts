/** What is no request to change the voters, in the order and in the words in which Apache Kafka looks at it. */
import { beforeAll, describe, expect, test } from '@jest/globals'
import { ZERO_UUID } from '../../../broker/lib/uuid.ts'
import type { ApiKey } from '../../../broker/protocol/api-key.ts'
import type { RequestOf } from '../../../broker/protocol/apis.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { RaftNode } from '../../../broker/raft/raft-node.ts'
import { KRAFT_VERSIONS } from '../../../broker/raft/voters.ts'
import { directoryOf, endpointsOf, RaftCluster } from './cluster.ts'
import { RAFT_DEFAULTS } from './harness.ts'

const { clusterId } = RAFT_DEFAULTS
const ELSEWHERE = [{ name: 'OTHER', host: 'two', port: 9093 }]
const VOTER = { clusterId, voterId: 2, voterDirectoryId: directoryOf(2) }

type Add = RequestOf<typeof ApiKey.AddRaftVoter>
type Remove = RequestOf<typeof ApiKey.RemoveRaftVoter>
type Update = RequestOf<typeof ApiKey.UpdateRaftVoter>

describe.each([0, 1])('with kraft.version %i', (kraftVersion) => {
  let node: RaftNode

  beforeAll(async () => {
    const cluster = new RaftCluster({ seed: 1, voters: [1], isStatic: kraftVersion === 0 })
    await cluster.start()
    await cluster.untilLeader()
    node = cluster.node(1)
    await cluster.world.clock.run(100)
  })

  const unsound = {
    errorCode: ErrorCode.INVALID_REQUEST,
    errorMessage: "Add voter request didn't include a valid voter",
  }
  const unreachable = (given: string) => ({
    errorCode: ErrorCode.INVALID_REQUEST,
    errorMessage: `Add voter request didn't include the endpoint (Endpoints(endpoints={${given}})) for the default listener ListenerName(CONTROLLER)`,
  })

  test.each<[string, Partial<Add>, object]>([
    ['of no node', { voterId: -1, listeners: [] }, unsound],
    ['of no directory', { voterDirectoryId: ZERO_UUID }, unsound],
    ['without a listener', { listeners: [] }, unreachable('')],
    [
      'without the listener that controllers use',
      { listeners: ELSEWHERE },
      unreachable('ListenerName(OTHER)=two/<unresolved>:9093'),
    ],
  ])('a voter %s is not added', async (_what, wrong, refusal) => {
    const request = { ...VOTER, timeoutMs: 1000, listeners: endpointsOf(2), ackWhenCommitted: true, ...wrong }
    expect(await node.addVoter(request)).toEqual(refusal)
  })

  test.each<[string, Partial<Remove>]>([
    ['of no node', { voterId: -1 }],
    ['of no directory', { voterDirectoryId: ZERO_UUID }],
  ])('a voter %s is not removed', async (_what, wrong) => {
    const errorMessage = "Remove voter request didn't include a valid voter"
    expect(await node.removeVoter({ ...VOTER, ...wrong })).toEqual({
      errorCode: ErrorCode.INVALID_REQUEST,
      errorMessage,
    })
  })

  test.each<[string, Partial<Update>]>([
    ['of no node', { voterId: -1 }],
    ['of no directory', { voterDirectoryId: ZERO_UUID }],
    ['without the listener that controllers use', { listeners: ELSEWHERE }],
    ['that speaks no version', { kraftVersionFeature: { minSupportedVersion: 1, maxSupportedVersion: 0 } }],
    ['that speaks versions below all', { kraftVersionFeature: { minSupportedVersion: -1, maxSupportedVersion: 1 } }],
  ])('a voter %s is not updated', (_what, wrong) => {
    const currentLeaderEpoch = node.leaderAndEpoch.epoch
    const request = { ...VOTER, currentLeaderEpoch, listeners: endpointsOf(2), kraftVersionFeature: KRAFT_VERSIONS }
    expect(node.updateVoter({ ...request, ...wrong })).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST })
  })
})
