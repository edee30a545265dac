import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { RunningNode } from '../../tools/node.ts'
import { describeWith } from '../../tools/requires.ts'
import { startTarget } from '../../tools/target.ts'
import { pythonWithClient } from '../setup/setup.ts'
import { expectAdmin, expectGroup, expectRuns, reportOf } from './external.ts'
import { type Plan, planOf, type Report } from './workload.ts'

const WORKLOAD = join(import.meta.dirname, 'python', 'workload.py')

describeWith(['python3'], 'confluent-kafka', () => {
  let node: RunningNode
  let plan: Plan
  let report: Report

  beforeAll(async () => {
    const program = await pythonWithClient()
    node = await startTarget()
    plan = planOf('confluent-kafka', node.bootstrap)
    report = await reportOf(program, [WORKLOAD], plan)
  }, 900_000)

  afterAll(() => node?.stop())

  test('writes and reads with each codec and each acks', () => expectRuns(plan, report, node.logDir))

  test('goes on in a group where its predecessor had committed', () => expectGroup(report.group))

  test('administers topics, configs, offsets and groups', () => expectAdmin(report.admin))

  test('leaves the broker running', () => expect(node.running()).toBe(true))
})
