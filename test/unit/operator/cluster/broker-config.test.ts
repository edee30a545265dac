import { expect, test } from '@jest/globals'
import { bringClusterConfig } from '../../../../operator/cluster/broker-config.ts'
import { stepOf } from '../../../../operator/cluster/thread-pools.ts'
import { FakeClusterConfig } from '../../../fakes/cluster-config.ts'

const MIN_ISR = ['min.insync.replicas', '2'] as const

/** Brings it to `wanted` as the reconciler does, which tells everything before; returns the words of each run. */
async function settle(client: FakeClusterConfig, wanted: ReadonlyMap<string, string>) {
  const said: (string | undefined)[][] = []
  let told: string | null = null
  for (let run = 0; run < 12; run++) {
    const { changes, pending, refusal } = await bringClusterConfig(client, wanted, told)
    said.push([changes, pending, refusal])
    told = pending ?? null
    if (pending === undefined) break
  }
  return said
}

test('nothing is changed before it has been told', async () => {
  const client = new FakeClusterConfig()
  const wanted = new Map([MIN_ISR])
  expect(await bringClusterConfig(client, wanted, null)).toEqual({ changes: '', pending: 'min.insync.replicas=2' })
  expect(await bringClusterConfig(client, wanted, 'other words')).toMatchObject({ pending: 'min.insync.replicas=2' })
  expect(client.asked).toEqual([])
  expect(await bringClusterConfig(client, wanted, 'min.insync.replicas=2')).toEqual({
    changes: 'min.insync.replicas=2',
  })
  expect(await bringClusterConfig(client, wanted, null)).toEqual({ changes: '' })
})

test('pools of threads come to their size in steps that brokers take, and go back so', async () => {
  const client = new FakeClusterConfig()
  const pools = new Map([
    ['num.io.threads', '32'],
    ['num.network.threads', '8'],
    ['num.replica.fetchers', '4'],
    ['num.recovery.threads.per.data.dir', '8'],
    ['log.cleaner.threads', '3'],
    ['background.threads', '1'],
    MIN_ISR,
  ])
  await settle(client, pools)
  expect(client.config).toEqual(pools)
  // At once, and not at the end of the way.
  expect(client.asked[0]).toContain('min.insync.replicas=2')
  await settle(client, new Map([MIN_ISR]))
  expect(client.config).toEqual(new Map([MIN_ISR]))
  expect(client.asked.filter((words) => words.includes('refused'))).toEqual([])
})

test('what is on its way is told as what it is on its way to', async () => {
  const said = await settle(new FakeClusterConfig(), new Map([['num.io.threads', '20'], MIN_ISR]))
  expect(said).toEqual([
    ['', 'num.io.threads=20, min.insync.replicas=2', undefined],
    ['num.io.threads=16, min.insync.replicas=2', 'num.io.threads=20', undefined],
    ['num.io.threads=20', undefined, undefined],
  ])
})

test('a default that is far from what is set is come to in steps as well', () => {
  const step = stepOf(
    { set: new Map(), unset: ['num.io.threads', 'min.insync.replicas'] },
    new Map([['num.io.threads', '64']]),
  )
  expect(step).toEqual({ set: new Map([['num.io.threads', '32']]), unset: ['min.insync.replicas'] })
})

test.each([
  ['1', '0'],
  ['4', 'many'],
])('what cannot be come to is left to brokers to refuse: from %s to %s', (now, target) => {
  const set = new Map([['log.cleaner.threads', target]])
  expect(stepOf({ set, unset: [] }, new Map([['log.cleaner.threads', now]])).set).toEqual(set)
})

test('a value that is refused keeps no other from being set, and is named', async () => {
  const client = new FakeClusterConfig()
  client.refused.add('message.max.bytes')
  const wanted = new Map([['message.max.bytes', '5'], ['num.io.threads', '32'], MIN_ISR])
  const said = await settle(client, wanted)
  expect(client.config).toEqual(new Map([['num.io.threads', '32'], MIN_ISR]))
  expect(said.at(-1)).toEqual(['', 'message.max.bytes=5', 'message.max.bytes=5: not this one (INVALID_REQUEST)'])
})

test('values that Kafka prints otherwise than they are written are as wanted', async () => {
  const client = new FakeClusterConfig()
  const wanted = new Map([
    ['log.cleanup.policy', 'compact, delete'],
    ['log.cleaner.io.max.bytes.per.second', '50000000'],
    ['unclean.leader.election.enable', 'True'],
  ])
  expect(await settle(client, wanted)).toHaveLength(2)
  expect(await bringClusterConfig(client, wanted, null)).toEqual({ changes: '' })
})
