import { expect, test } from '@jest/globals'
import { formatCommand } from '../../../broker/format-command.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { readMetaProperties } from '../../../broker/storage/meta-properties.ts'
import { SimRandom } from '../../fakes/random.ts'
import { TestCluster, type TestNode } from './bed.ts'

const CONTROLLER_PORT = 9093
const COMBINED = ['broker,controller', 'broker,controller', 'broker,controller']
const QUORUM = {
  'controller.quorum.voters': '',
  'controller.quorum.bootstrap.servers': [1, 2, 3].map((id) => `node-${id}:${CONTROLLER_PORT}`).join(','),
}

/** Formats a node's empty directory, as kafka-storage does with `words`. */
function format({ id, machine, roles }: TestNode, words: readonly string[]): void {
  const { disk } = machine
  disk.remove('/data')
  const lines = [
    `process.roles=${roles.join(',')}`,
    `node.id=${id}`,
    `listeners=PLAINTEXT://:9092,CONTROLLER://:${CONTROLLER_PORT}`,
    'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    `controller.quorum.bootstrap.servers=${QUORUM['controller.quorum.bootstrap.servers']}`,
    'log.dirs=/data',
  ]
  disk.replaceFile('/server.properties', new TextEncoder().encode(lines.join('\n')))
  const errors: string[] = []
  const sinks = { out: () => undefined, error: (line: string) => errors.push(line) }
  const args = ['format', '-t', 'test', '-c', '/server.properties', ...words]
  formatCommand(args, { disk, clock: machine.time.clock, random: new SimRandom(id + 10), ...sinks })
  expect(errors).toEqual([])
}

function directoryOf({ machine }: TestNode): string {
  return readMetaProperties(machine.disk, '/data')?.directoryId ?? ''
}

class LostVolume {
  readonly cluster = new TestCluster(COMBINED, QUORUM)
  readonly lost: TestNode
  /** The directory that is gone. */
  readonly before: string

  constructor() {
    const { nodes } = this.cluster
    const voters = nodes.map((node) => `${node.id}@node-${node.id}:${CONTROLLER_PORT}:${directoryOf(node)}`)
    for (const node of nodes) format(node, ['-I', voters.join(',')])
    this.lost = nodes[2] as TestNode
    this.before = directoryOf(this.lost)
  }

  /** Node 3 comes back with an empty volume, into a cluster that has formed. */
  async lose(): Promise<void> {
    await this.cluster.start()
    this.lost.machine.kill()
    format(this.lost, ['--no-initial-controllers'])
    await this.cluster.start([this.lost])
  }

  async quorum() {
    const body = { topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] }
    const answer = await this.cluster.ask(this.cluster.nodes[0], ApiKey.DescribeQuorum, body)
    return answer?.topics[0]?.partitions[0]
  }

  /** Of node 3, among these. */
  directories(replicas: readonly { replicaId: number; replicaDirectoryId: string }[] | undefined): string[] {
    return (replicas ?? []).flatMap(({ replicaId, replicaDirectoryId }) =>
      replicaId === 3 ? [replicaDirectoryId] : [],
    )
  }

  /** Has the active controller take a voter out of the quorum. */
  async remove(node: TestNode): Promise<number | undefined> {
    const leaderId = (await this.quorum())?.leaderId
    const leader = this.cluster.nodes.find(({ id }) => id === leaderId)
    const body = { clusterId: 'test', voterId: node.id, voterDirectoryId: directoryOf(node) }
    return (await this.cluster.ask(leader, ApiKey.RemoveRaftVoter, body, CONTROLLER_PORT))?.errorCode
  }

  /** Asks the active controller. */
  async change<K extends typeof ApiKey.AddRaftVoter | typeof ApiKey.RemoveRaftVoter>(key: K, directoryId: string) {
    const leaderId = (await this.quorum())?.leaderId
    const leader = this.cluster.nodes.find(({ id }) => id === leaderId)
    const body = {
      clusterId: 'test',
      timeoutMs: 5000,
      voterId: 3,
      voterDirectoryId: directoryId,
      listeners: [{ name: 'CONTROLLER', host: 'node-3', port: CONTROLLER_PORT }],
      ackWhenCommitted: true,
    }
    return (await this.cluster.ask(leader, key, body, CONTROLLER_PORT))?.errorCode
  }
}

test('a controller that lost its volume has another directory, and is no voter until it is made one', async () => {
  const bed = new LostVolume()
  await bed.lose()
  await bed.cluster.world.clock.run(1000)
  const after = directoryOf(bed.lost)
  expect(after).not.toBe(bed.before)
  const quorum = await bed.quorum()
  expect(bed.directories(quorum?.currentVoters)).toEqual([bed.before])
  expect(bed.directories(quorum?.observers)).toEqual([after])
  expect(await bed.change(ApiKey.AddRaftVoter, after)).toBe(ErrorCode.DUPLICATE_VOTER)
  expect(await bed.change(ApiKey.RemoveRaftVoter, bed.before)).toBe(ErrorCode.NONE)
  expect(await bed.change(ApiKey.AddRaftVoter, after)).toBe(ErrorCode.NONE)
  expect(bed.directories((await bed.quorum())?.currentVoters)).toEqual([after])
  await bed.cluster.stop()
})

test('with another controller gone, the one without its log makes no majority', async () => {
  const bed = new LostVolume()
  await bed.lose()
  const [one, two] = bed.cluster.nodes
  two?.machine.kill()
  const create = (name: string) => {
    const topics = [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
    return bed.cluster.ask(one, ApiKey.CreateTopics, { topics, timeoutMs: 3000 })
  }
  expect((await create('without'))?.topics[0]?.errorCode).not.toBe(ErrorCode.NONE)
  await bed.cluster.start([two as TestNode])
  expect((await create('with'))?.topics[0]?.errorCode).toBe(ErrorCode.NONE)
  await bed.cluster.stop()
})

test('a leader that is taken out of the quorum leaves it to the last voter, and goes on', async () => {
  const bed = new LostVolume()
  const { cluster } = bed
  await cluster.start()
  const leaderId = (await bed.quorum())?.leaderId
  const leader = cluster.nodes.find(({ id }) => id === leaderId) as TestNode
  const [follower, last] = cluster.nodes.filter(({ id }) => id !== leaderId) as [TestNode, TestNode]
  expect(await bed.remove(follower)).toBe(ErrorCode.NONE)
  expect(await bed.remove(leader)).toBe(ErrorCode.NONE)
  const asked = () => ({ topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] })
  await cluster.until(ApiKey.DescribeQuorum, asked, ({ topics }) => topics[0]?.partitions[0]?.leaderId === last.id)
  await cluster.world.clock.run(5000)
  expect(leader.logger.events.filter(({ level }) => level === 'error')).toEqual([])
  await cluster.stop()
})
