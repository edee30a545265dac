import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { RunningNode } from '../../tools/node.ts'
import { startTarget } from '../../tools/target.ts'
import { expectAdmin, expectGroup, expectRuns } from './external.ts'
import { platformaticReport } from './platformatic-client.ts'
import { type Plan, planOf, type Report } from './workload.ts'

describe('platformatic', () => {
  let node: RunningNode
  let plan: Plan
  let report: Report

  beforeAll(async () => {
    node = await startTarget()
    plan = planOf('platformatic', node.bootstrap)
    report = await platformaticReport(plan)
  }, 120_000)

  afterAll(() => node?.stop())

  test('writes and reads with each codec and each acks', () => expectRuns(plan, report, node.logDir))

  test('goes on in a group where its predecessor had committed', () => expectGroup(report.group))

  test('administers topics, configs, offsets and groups', () => expectAdmin(report.admin))

  test('leaves the broker running', () => expect(node.running()).toBe(true))
})
