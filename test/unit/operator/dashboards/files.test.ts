import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import { CLUSTER_RULES, OPERATOR_RULES } from '../../../../operator/alerts/rules.ts'
import { CHART, monitoringFiles } from '../../../tools/monitoring-files.ts'

const RUNBOOKS = resolve(CHART, '../../docs/runbooks')
const files = monitoringFiles()

test.each([...files.keys()])('%s in the chart is what the generator makes', (path) => {
  expect(readFileSync(join(CHART, path), 'utf8')).toBe(files.get(path))
})

test.each(['rules', 'dashboards'])('the chart has no other %s', (folder) => {
  const there = readdirSync(join(CHART, folder)).map((name) => `${folder}/${name}`)
  expect(there.filter((path) => !files.has(path))).toEqual([])
})

test('every alert has a runbook, and every runbook an alert', () => {
  const alerts = [...CLUSTER_RULES, ...OPERATOR_RULES].map(({ alert }) => `${alert}.md`)
  expect(readdirSync(RUNBOOKS).sort()).toEqual(alerts.sort())
})
