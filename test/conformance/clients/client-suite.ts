import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { RunningNode } from '../../tools/node.ts'
import { describeWith, type Tool } from '../../tools/requires.ts'
import { startTarget } from '../../tools/target.ts'
import { expectAdmin, expectGroup, expectRuns } from './external.ts'
import { type Plan, planOf, type Report } from './workload.ts'

const START_MS_MAX = 900_000

/** What every client has to do with the broker: `reportOf` has it do the plan. `client` names its topics and groups. */
export function clientSuite(client: string, tools: readonly Tool[], reportOf: (plan: Plan) => Promise<Report>): void {
  describeWith(tools, client, () => {
    let node: RunningNode
    let plan: Plan
    let report: Report

    beforeAll(async () => {
      node = await startTarget()
      plan = planOf(client, node.bootstrap)
      report = await reportOf(plan)
    }, START_MS_MAX)

    afterAll(() => node?.stop())

    test('writes and reads with each codec and each acks', () => expectRuns(plan, report, node.logDir))

    test('goes on in a group where its predecessor had committed', () => expectGroup(report.group))

    test('administers topics, configs, offsets and groups', () => expectAdmin(report.admin))

    test('leaves the broker running', () => expect(node.running()).toBe(true))
  })
}
