import { expect } from '@jest/globals'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../tools/run.ts'
import { CODECS, EXPECTED_ADMIN, expectedPartitions, RECORDS } from './workload.ts'
import type { Plan, Report } from './workload.ts'

/** Has a client in another language do `plan`. */
export async function reportOf(command: string, args: readonly string[], plan: Plan): Promise<Report> {
  const { stdout } = await run(command, args, { input: JSON.stringify(plan), timeoutMs: 110_000 })
  const report: Report = JSON.parse(stdout)
  return report
}

/** Every run gave back every record, once, in order, as it was written, from batches of the run's codec. */
export function expectRuns(plan: Plan, report: Pick<Report, 'runs'>, logDir: string): void {
  const wanted = Object.fromEntries(plan.runs.map(({ topic }) => [topic, expectedPartitions()]))
  expect(report.runs).toEqual(wanted)
  const onDisk = plan.runs.map(({ topic }) => [topic, codecOf(logDir, topic)])
  expect(onDisk).toEqual(plan.runs.map(({ topic, codec }) => [topic, codec]))
}

/** The second member went on where the first one had committed. */
export function expectGroup({ first, second, partitions }: Report['group']): void {
  expect(partitions).toEqual(expectedPartitions())
  expect(first).toBeGreaterThan(0)
  expect(first).toBeLessThan(RECORDS)
  expect(first + second).toBe(RECORDS)
}

export function expectAdmin(admin: Partial<Report['admin']>): void {
  expect(admin).toEqual(EXPECTED_ADMIN)
}

/**
 * The codec of the batches on the disk: the low three bits of the attributes, at byte 21 of a version 2 batch, whose length
 * after the first 12 bytes is at byte 8. A batch that compression would make longer is sent as it is, so `none` counts only
 * where there is nothing else.
 */
export function codecOf(logDir: string, topic: string): string {
  const directory = join(logDir, `${topic}-0`)
  const [segment = ''] = readdirSync(directory).filter((name) => name.endsWith('.log'))
  const content = readFileSync(join(directory, segment))
  const found = new Set<string>()
  for (
    let at = 0;
    at + 23 <= content.length && content.readInt32BE(at + 8) > 0;
    at += 12 + content.readInt32BE(at + 8)
  ) {
    found.add(CODECS[content.readInt16BE(at + 21) & 7] ?? 'unknown')
  }
  if (found.size > 1) found.delete('none')
  return [...found].join(', ')
}
