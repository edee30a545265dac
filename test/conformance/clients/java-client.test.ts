import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startJavaTools } from '../../tools/java-tool.ts'
import type { RunningNode } from '../../tools/node.ts'
import { describeWith } from '../../tools/requires.ts'
import { startTarget } from '../../tools/target.ts'
import { expectAdmin, expectGroup, expectRuns } from './external.ts'
import { type Plan, planOf, type Report } from './workload.ts'

describeWith(['java', 'mvn'], 'the Java client', () => {
  let node: RunningNode
  let plan: Plan
  let report: Report

  beforeAll(async () => {
    const java = await startJavaTools([join(import.meta.dirname, 'java', 'Workload.java')])
    node = await startTarget()
    plan = planOf('java', node.bootstrap)
    report = JSON.parse(await java.output('Workload', [], JSON.stringify(plan)))
    java.close()
  }, 900_000)

  afterAll(() => node?.stop())

  test('writes and reads with each codec and each acks', () => expectRuns(plan, report, node.logDir))

  test('goes on in a group where its predecessor had committed', () => expectGroup(report.group))

  test('administers topics, configs, offsets and groups', () => expectAdmin(report.admin))

  test('leaves the broker running', () => expect(node.running()).toBe(true))
})
