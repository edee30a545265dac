/** The alert rules as Prometheus' own tool understands them: each fires when it should, not before its time, and not for what is near. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { stringify } from 'yaml'
import { durationMs } from '../../../operator/alerts/duration.ts'
import { RELABELINGS } from '../../../operator/alerts/pod-monitor.ts'
import { clusterGroup, operatorGroup } from '../../../operator/alerts/prometheus-rules.ts'
import type { PrometheusAlert } from '../../../operator/alerts/prometheus-rules.ts'
import { CHART } from '../../tools/monitoring-files.ts'
import { monitoringPrograms } from '../../tools/prometheus.ts'
import { describeWith } from '../../tools/requires.ts'
import { run } from '../../tools/run.ts'
import { RULE_CASES, type RuleCase } from './rule-cases.ts'

const STEP_MS = 30_000
const MINUTE_MS = 60_000

describeWith(['apt'], 'alert rules', () => {
  let directory: string
  let promtool: string
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'rules-'))
    promtool = (await monitoringPrograms()).promtool
  }, 10 * MINUTE_MS)
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  /** Runs promtool's tests of `rules`, each with its case; rejects with what it says. */
  async function fires(rules: readonly PrometheusAlert[]): Promise<void> {
    const tests = rules.flatMap((rule) => {
      const found = RULE_CASES.find(({ alert }) => alert === rule.alert)
      return found === undefined ? [] : [writeTest(found, rule)]
    })
    await run(promtool, ['test', 'rules', ...tests], { cwd: directory })
  }

  /** In files of its own: promtool evaluates all rules of a file for all of its tests. */
  function writeTest(found: RuleCase, rule: PrometheusAlert): string {
    const [rules, tests] = [`${rule.alert}.rules.yaml`, `${rule.alert}.test.yaml`]
    // What people read is checked apart: here it would only be repeated.
    const groups = [{ name: 'kafka', rules: [{ ...rule, annotations: {} }] }]
    writeFileSync(join(directory, rules), stringify({ groups }))
    const content = { rule_files: [rules], evaluation_interval: '30s', tests: [badTest(found, rule), goodTest(found)] }
    writeFileSync(join(directory, tests), stringify(content, { aliasDuplicateObjects: false }))
    return tests
  }

  test('every rule has a case', () => {
    const alerts = [clusterGroup(null), operatorGroup()].flatMap(({ rules }) => rules.map(({ alert }) => alert))
    expect(RULE_CASES.map(({ alert }) => alert).sort()).toEqual(alerts.sort())
  })

  test('the rules in the chart are valid', async () => {
    const { stdout } = await run(promtool, [
      'check',
      'rules',
      join(CHART, 'rules/kafka.yaml'),
      join(CHART, 'rules/operator.yaml'),
    ])
    expect(stdout).toContain('SUCCESS')
  })

  test('the scrape configuration in the documentation is valid, and sets the labels that rules go by', async () => {
    const page = readFileSync(join(CHART, '../../docs/monitoring.md'), 'utf8')
    const [, config = ''] = /```yaml\n([^]*?)```/.exec(page) ?? []
    // Debian's Prometheus has no discovery by Kubernetes.
    const checked = config.replaceAll('kubernetes_sd_configs: [{role: pod}]', 'static_configs: []')
    writeFileSync(join(directory, 'prometheus.yaml'), checked)
    await run(promtool, ['check', 'config', 'prometheus.yaml'], { cwd: directory })
    for (const { sourceLabels, targetLabel } of RELABELINGS.slice(0, 2)) {
      expect(config).toContain(`{source_labels: [${sourceLabels[0]}], target_label: ${targetLabel}}`)
    }
  })

  test('the rules of any cluster fire when they should', async () => {
    await fires([...clusterGroup(null).rules, ...operatorGroup().rules])
  }, 60_000)

  test('the rules of one cluster fire for it', async () => {
    await fires(clusterGroup({ namespace: 'ns', name: 'c' }, '7m').rules)
  }, 60_000)

  test.each(clusterGroup({ namespace: 'ns', name: 'other' }).rules.map((rule) => [rule.alert, rule] as const))(
    'the %s of one cluster says nothing of another',
    async (_, rule) => {
      await expect(fires([rule])).rejects.toThrow(/exp:[^]*got:\[\]/)
    },
  )
})

/** Not yet a step before its time, and firing when it is over. */
function badTest({ alert, bad, labels, fromMinutes = 0 }: RuleCase, rule: PrometheusAlert): object {
  const firesMs = fromMinutes * MINUTE_MS + durationMs(rule.for)
  const firing = { exp_labels: { ...labels, ...rule.labels }, exp_annotations: {} }
  const early = Math.max(0, durationMs(rule.for) - STEP_MS)
  return {
    interval: '30s',
    input_series: bad,
    alert_rule_test: [
      ...(durationMs(rule.for) === 0 ? [] : [{ eval_time: seconds(early), alertname: alert, exp_alerts: [] }]),
      { eval_time: seconds(firesMs + STEP_MS), alertname: alert, exp_alerts: [firing] },
    ],
  }
}

function goodTest({ alert, good }: RuleCase): object {
  return {
    interval: '30s',
    input_series: good,
    alert_rule_test: [20, 60].map((minutes) => ({ eval_time: `${minutes}m`, alertname: alert, exp_alerts: [] })),
  }
}

function seconds(ms: number): string {
  return `${ms / 1000}s`
}
