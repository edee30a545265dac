import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { AdminClient } from '../../../../broker/client/admin-client.ts'
import type { Ask } from '../../../../broker/client/admin-client.ts'
import { ApiKey } from '../../../../broker/protocol/api-key.ts'
import type { ResponseOf } from '../../../../broker/protocol/apis.ts'
import { Looker } from '../../../../operator/kafka/looker.ts'
import { TestCluster } from '../../broker/bed.ts'

type Quorum = ResponseOf<typeof ApiKey.DescribeQuorum>

let cluster: TestCluster
let admin: AdminClient
let looker: Looker
/** The brokers that have been asked. */
let asked: Set<number | undefined>
/** Brokers that are an hour behind with the metadata. */
let behind: Set<number>

beforeEach(async () => {
  const roles = ['controller,broker', 'controller,broker', 'controller,broker']
  cluster = new TestCluster(roles, { 'default.replication.factor': '3', 'broker.session.timeout.ms': '2000' })
  await cluster.start()
  const env = cluster.world.machine('operator').start()
  const bootstrap = [1, 2, 3].map((id) => ({ host: `node-${id}`, port: 9092 }))
  admin = new AdminClient({ bootstrap, requestTimeoutMs: 3000, timeoutMs: 15_000 }, env)
  asked = new Set()
  behind = new Set()
  const client = {
    run: <T>(operation: (ask: Ask) => Promise<T>) => admin.run((ask) => operation(watched(ask))),
    describeCluster: () => admin.describeCluster(),
  }
  looker = new Looker({ timeoutMs: 15_000 }, { client, clock: env.clock })
})

afterEach(async () => {
  await cluster.world.clock.runFor(admin[Symbol.asyncDispose]())
  await cluster.stop()
})

function watched(ask: Ask): Ask {
  return async (key, body, brokerId) => {
    asked.add(brokerId)
    const answer = await ask(key, body, brokerId)
    if (key === ApiKey.DescribeQuorum) holdBack(answer as Quorum)
    return answer
  }
}

function holdBack({ topics }: Quorum): void {
  for (const voter of topics[0]?.partitions[0]?.currentVoters ?? []) {
    const { replicaId, lastCaughtUpTimestamp } = voter
    if (behind.has(replicaId)) Object.assign(voter, { lastCaughtUpTimestamp: lastCaughtUpTimestamp - 3_600_000n })
  }
}

function run<T>(operation: Promise<T>): Promise<T> {
  return cluster.world.clock.runFor(operation, 60_000)
}

async function createTopic(): Promise<void> {
  await run(admin.createTopics([{ name: 'durable', partitions: 2 }]))
  await cluster.world.clock.run(1000)
}

const askedOnce = (): number => {
  expect(asked.size).toBe(1)
  return [...asked][0] ?? 0
}

test('all of a look is asked of one broker, and the next one of the same', async () => {
  await createTopic()
  for (let look = 0; look < 5; look++) expect((await run(looker.look())).partitions).toHaveLength(2)
  await run(looker.shortage())
  expect([1, 2, 3]).toContain(askedOnce())
})

test('where the broker has gone, all of it is asked of another one', async () => {
  await createTopic()
  await run(looker.look())
  const gone = askedOnce()
  cluster.nodes.find(({ id }) => id === gone)?.machine.kill()
  await cluster.world.clock.run(10_000)
  asked.clear()
  const { brokers, partitions } = await run(looker.look())
  expect(brokers.has(gone)).toBe(false)
  for (const { isr } of partitions) expect(isr).not.toContain(gone)
  asked.clear()
  await run(looker.look())
  expect(askedOnce()).not.toBe(gone)
})

test('where the broker does not answer, the look is made all the same', async () => {
  await run(looker.look())
  const silent = askedOnce()
  cluster.world.network.cut(`node-${silent}`, 'operator')
  expect((await run(looker.look())).brokers.size).toBeGreaterThan(0)
  asked.clear()
  await run(looker.look())
  expect(askedOnce()).not.toBe(silent)
})

test('a broker that is behind with the metadata is not asked where another one is not', async () => {
  await run(looker.look())
  behind = new Set([askedOnce()])
  await run(looker.look())
  asked.clear()
  await run(looker.look())
  expect(behind.has(askedOnce())).toBe(false)
})

test('where all of them are behind there is a state all the same', async () => {
  behind = new Set([1, 2, 3])
  expect((await run(looker.look())).brokers.size).toBe(3)
})

test('the shortage is another one when a replica goes out of sync, or comes back', async () => {
  await createTopic()
  const before = await run(looker.shortage())
  expect(before).toBe('')
  const [gone] = cluster.nodes
  gone?.machine.kill()
  await cluster.world.clock.run(10_000)
  const during = await run(looker.shortage())
  expect(during).toContain('durable-0')
  expect(await run(looker.shortage())).toBe(during)
})
