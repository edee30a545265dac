import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { RunningNode } from '../../tools/node.ts'
import { describeWith } from '../../tools/requires.ts'
import { run } from '../../tools/run.ts'
import { startTarget } from '../../tools/target.ts'
import { installPackages } from '../setup/setup.ts'
import { codecOf } from './external.ts'
import { expectAll, keyValueLines, textRecords } from './text-records.ts'
import { FIRST, planOf, RECORDS } from './workload.ts'

installPackages(['kcat'])

describeWith(['kcat'], 'kcat', () => {
  let node: RunningNode

  const kcat = async (args: readonly string[], input = ''): Promise<string> =>
    (await run('kcat', ['-q', '-b', node.bootstrap, ...args], { input, timeoutMs: 60_000 })).stdout

  beforeAll(async () => {
    // The topics come into being when they are first asked for.
    node = await startTarget({ overrides: { 'auto.create.topics.enable': 'true', 'num.partitions': '3' } })
    for (const { topic } of planOf('kcat', node.bootstrap).runs) await kcat(['-L', '-t', topic])
  }, 120_000)

  afterAll(() => node?.stop())

  test.each(planOf('kcat', '').runs)('writes and reads with $codec and acks=$acks', async ({ topic, codec, acks }) => {
    const produce = ['-P', '-t', topic, '-K', '\t', '-z', codec, '-X', `acks=${acks}`, '-H', 'h=x']
    await kcat([...produce, '-X', `enable.idempotence=${acks === 'all'}`], keyValueLines())
    const read = await kcat(['-C', '-t', topic, '-o', 'beginning', '-c', String(RECORDS), '-f', '%p\\t%h\\t%k\\t%s\\n'])
    expectAll(textRecords(read), () => 'h=x')
    expect(codecOf(node.logDir, topic)).toBe(codec)
  })

  test('lists brokers and topics', async () => {
    const told: { brokers: unknown; topics: { topic: string; partitions: unknown[] }[] } = JSON.parse(
      await kcat(['-L', '-J']),
    )
    expect(told.brokers).toEqual([{ id: 1, name: node.bootstrap }])
    expect(told.topics.find(({ topic }) => topic === 'kcat-none-all')?.partitions).toHaveLength(3)
  })

  test('finds offsets by time', async () => {
    const latest = await kcat(['-Q', '-t', 'kcat-none-all:0:-1'])
    const earliest = await kcat(['-Q', '-t', 'kcat-none-all:0:-2'])
    const future = await kcat(['-Q', '-t', `kcat-none-all:0:${Date.now() + 3_600_000}`])
    expect(Number(latest.trim().split(' ').at(-1))).toBeGreaterThan(0)
    expect(earliest.trim()).toBe('kcat-none-all [0] offset 0')
    expect(future.trim()).toBe('kcat-none-all [0] offset -1')
  })

  test('goes on in a group where its predecessor had committed', async () => {
    const member = ['-G', 'kcat-group', '-X', 'auto.offset.reset=earliest', '-f', '%p\\t%h\\t%k\\t%s\\n']
    const first = await kcat([...member, '-c', String(FIRST), 'kcat-none-all'])
    const second = await kcat([...member, '-c', String(RECORDS - FIRST), 'kcat-none-all'])
    expectAll(textRecords(first + second), () => 'h=x')
  }, 60_000)
})
