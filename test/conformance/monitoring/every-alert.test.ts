/** Every alert goes all the way: series that are bad, a real Prometheus, a real Alertmanager, whoever listens. Times are shortened. */
import { createServer, type Server } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { clusterGroup, operatorGroup } from '../../../operator/alerts/prometheus-rules.ts'
import type { RuleGroup } from '../../../operator/alerts/prometheus-rules.ts'
import { freePorts } from '../../tools/node.ts'
import { monitoringPrograms } from '../../tools/prometheus.ts'
import { describeWith } from '../../tools/requires.ts'
import { Prometheus, TestAlertmanager } from './rig.ts'
import { RULE_CASES, type RuleCase } from './rule-cases.ts'

const HOST = '127.0.0.1'
const START_MS_MAX = 10 * 60_000
const FIRE_MS_MAX = 60_000
/** What looks back looks back a few seconds. */
const SHORTER: readonly [RegExp, string][] = [
  [/\[\d+m:30s\]/g, '[5s:500ms]'],
  [/\[\d+[mh]\]/g, '[5s]'],
  [/offset 1h/g, 'offset 2s'],
  // Values of half a minute pass in an instant: what is consumed in five minutes, too.
  [/> 300 \*/g, '> 2 *'],
]

describeWith(['apt'], 'every alert', () => {
  const directory = mkdtempSync(join(tmpdir(), 'alerts-'))
  const stack = new AsyncDisposableStack()
  let alertmanager: TestAlertmanager

  beforeAll(async () => {
    const programs = await monitoringPrograms()
    stack.defer(() => rmSync(directory, { recursive: true, force: true }))
    const exporter = await badExporter()
    stack.defer(() => {
      exporter.close()
      exporter.closeAllConnections()
    })
    const [port = 0, alertmanagerPort = 0] = await freePorts(2)
    alertmanager = stack.use(await TestAlertmanager.start(programs, directory, alertmanagerPort))
    const groups = [clusterGroup(null), operatorGroup()].map(shortened)
    const { port: exporterPort } = exporter.address() as AddressInfo
    const options = { directory, port, alertmanagerPort, groups, exporterPort, interval: '250ms' }
    stack.use(await Prometheus.start(programs, { ...options, namespace: 'ns', nodes: [] }))
  }, START_MS_MAX)

  afterAll(() => stack.disposeAsync(), START_MS_MAX)

  test.each(RULE_CASES.map(({ alert }) => alert))(
    '%s reaches whoever listens',
    async (alert) => {
      const isTold = () =>
        alertmanager.notifications.some(
          ({ status, labels }) =>
            status === 'firing' &&
            labels['alertname'] === alert &&
            [undefined, alert].includes(labels['kafka_cluster']),
        )
      for (const deadline = performance.now() + FIRE_MS_MAX; !isTold() && performance.now() < deadline;) await sleep(50)
      expect(isTold()).toBe(true)
    },
    FIRE_MS_MAX + 10_000,
  )
})

function shortened({ name, rules }: RuleGroup): RuleGroup {
  return {
    name,
    rules: rules.map((rule) => ({
      ...rule,
      for: rule.for === '0s' ? '0s' : '1s',
      expr: SHORTER.reduce((expr, [pattern, replacement]) => expr.replaceAll(pattern, replacement), rule.expr),
    })),
  }
}

/** Gives the bad series of all cases, each of a cluster that is named after its alert; the next value at each scrape. */
async function badExporter(): Promise<Server> {
  const series = RULE_CASES.flatMap((each) =>
    each.bad.map((input) => ({ name: named(input.series, each), values: valuesOf(input.values) })),
  )
  let scrape = 0
  const server = createServer((_, response) => {
    const lines = series.map(({ name, values }) => `${name} ${values[Math.min(scrape, values.length - 1)] ?? 0}\n`)
    scrape++
    response.setHeader('content-type', 'text/plain; version=0.0.4').end(lines.join(''))
  })
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve))
  return server
}

function named(series: string, { alert }: RuleCase): string {
  return series.replace('kafka_cluster="c"', `kafka_cluster="${alert}"`)
}

/** promtool's notation: `1x3`, `1+2x3` and `9-1x3` are a value and so many more. */
function valuesOf(notation: string): number[] {
  return notation.split(' ').flatMap((part) => {
    const [, first = '0', step = '0', count = '0'] = /^([\d.]+)([+-][\d.]+)?x(\d+)$/.exec(part) ?? []
    return Array.from({ length: Number(count) + 1 }, (_, index) => Number(first) + Number(step) * index)
  })
}
