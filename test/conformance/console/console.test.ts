/** The console in a real browser, on a cluster of processes. `SCREENSHOTS=docs/images` keeps the pictures of the documentation. */
import { Kafka, logLevel } from 'kafkajs'
import type { Browser, Page } from 'playwright-core'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { nodeEnv } from '../../../broker/host/env.ts'
import { Admins } from '../../../operator/admins.ts'
import { KAFKA_CLUSTER, KAFKA_TOPIC } from '../../../operator/api/resource.ts'
import type { KafkaClusterStatus } from '../../../operator/api/kafkacluster.ts'
import { serveConsole } from '../../../operator/console.ts'
import { FakeKube } from '../../fakes/kube.ts'
import { kafkaCluster, kafkaTopic, pool } from '../../fakes/operator.ts'
import { freePorts } from '../../tools/node.ts'
import { describeWith } from '../../tools/requires.ts'
import { TestCluster } from '../cluster/rig/cluster.ts'
import { combined } from '../cluster/rig/plan.ts'
import { installPackages } from '../setup/setup.ts'

installPackages(['chromium'])

const SINCE = '2026-01-01T00:00:00Z'
/** As the operator leaves it of a cluster that waits for a broker. */
const STATUS: KafkaClusterStatus = {
  observedGeneration: 1,
  clusterId: 'a-cluster-of-the-tests',
  version: '4.3',
  readyNodes: 3,
  conditions: [
    { type: 'Ready', status: 'True', reason: 'Ready', message: '3 of 3 nodes are ready', lastTransitionTime: SINCE },
  ],
  listeners: [{ name: 'plain', bootstrapServers: 'orders-bootstrap.kafka.svc:9092' }],
  pools: [{ name: 'nodes', replicas: 3, ready: 3, nodeIds: [1, 2, 3] }],
}

describeWith(['chromium'], 'the console in a browser', () => {
  const stack = new AsyncDisposableStack()
  let cluster: TestCluster
  let browser: Browser
  let page: Page
  let url = ''

  beforeAll(async () => {
    cluster = stack.use(
      await TestCluster.start({
        name: 'console',
        nodes: combined(['ours', 'ours', 'ours']),
        overrides: { 'offsets.topic.num.partitions': '3' },
      }),
    )
    await fillCluster(cluster)
    const api = await kubernetes()
    const env = nodeEnv()
    const admins = stack.use(
      new Admins({ bootstrapOf: () => cluster.brokerAddresses[0] ?? { host: '', port: 0 } }, env),
    )
    const [port = 0] = await freePorts(1)
    stack.use(await serveConsole({ host: '127.0.0.1', port, namespaces: null }, { ...env, api, brokers: admins }))
    url = `http://127.0.0.1:${port}/`
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
    })
    stack.defer(() => browser.close())
    page = await browser.newPage({ viewport: { width: 1280, height: 860 } })
  }, 180_000)

  afterAll(() => stack.disposeAsync(), 60_000)

  const press = (key: string): Promise<void> => page.keyboard.press(key)
  const text = (what: string): Promise<void> => page.getByText(what, { exact: false }).first().waitFor()

  async function picture(name: string): Promise<void> {
    const directory = process.env['SCREENSHOTS']
    if (directory !== undefined) await page.screenshot({ path: `${directory}/${name}.png` })
  }

  test('it opens on the first cluster, live, without an error in the browser', async () => {
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(String(error)))
    page.on('console', (message) => (message.type() === 'error' ? errors.push(message.text()) : undefined))
    await page.goto(url)
    await text('3 of 3 nodes are ready')
    await text('orders-bootstrap.kafka.svc:9092')
    await page.locator('#connection.live').waitFor()
    await picture('console-overview')
    expect(errors).toEqual([])
  }, 60_000)

  test('topics are found by the keyboard alone, down to their partitions', async () => {
    await press('2')
    await page.getByRole('link', { name: 'payments', exact: true }).waitFor()
    await picture('console-topics')
    await press('/')
    await page.keyboard.type('refu')
    await page.getByText('Topics (1)').waitFor()
    expect(await page.getByLabel('Filter topics').and(page.locator(':focus')).count()).toBe(1)
    await press('Tab')
    expect(await page.locator(':focus').textContent()).toBe('refunds')
    await press('Enter')
    await text('Partitions of refunds')
    await page.getByRole('cell', { name: '1, 2, 3' }).first().waitFor()
    await press('Escape')
    await page.getByText('Topics (1)').waitFor()
    await press('Escape')
    await page.getByRole('link', { name: 'payments', exact: true }).waitFor()
  }, 60_000)

  test('groups tell how far they are behind', async () => {
    await press('3')
    await page.getByRole('cell', { name: 'billing', exact: true }).waitFor()
    await text('payments: 7')
    await picture('console-groups')
  }, 60_000)

  test('a broker that dies is seen without a reload', async () => {
    await press('1')
    await page.locator('.tiles .warn', { hasText: 'Under-replicated' }).waitFor({ state: 'detached' })
    await cluster.node(3).kill()
    await page.locator('.tiles .warn', { hasText: 'Under-replicated' }).waitFor()
    await page.emulateMedia({ colorScheme: 'dark' })
    await picture('console-under-replicated')
  }, 60_000)
})

/** Ten records in `payments`, of which the group `billing` has read three. */
async function fillCluster(cluster: TestCluster): Promise<void> {
  await using admin = cluster.admin()
  const assignments = [
    [1, 2, 3],
    [2, 3, 1],
  ]
  await admin.createTopics(['payments', 'refunds'].map((name) => ({ name, assignments })))
  const kafka = new Kafka({ brokers: cluster.bootstrap.split(','), logLevel: logLevel.NOTHING })
  const producer = kafka.producer()
  await producer.connect()
  const messages = Array.from({ length: 10 }, (_, record) => ({ value: String(record), partition: 0 }))
  await producer.send({ topic: 'payments', messages })
  await producer.disconnect()
  const offsets = kafka.admin()
  await offsets.connect()
  await offsets.setOffsets({ groupId: 'billing', topic: 'payments', partitions: [{ partition: 0, offset: '3' }] })
  await offsets.disconnect()
}

/** What the API server has: a cluster, and a KafkaTopic for one of its topics. */
async function kubernetes(): Promise<FakeKube> {
  const api = new FakeKube()
  await api.create(KAFKA_CLUSTER, { ...kafkaCluster({ pools: [pool({ replicas: 3 })] }), status: STATUS })
  await api.create(KAFKA_TOPIC, { ...kafkaTopic() })
  return api
}
