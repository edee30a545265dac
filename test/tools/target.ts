import { startApache } from './apache.ts'
import type { NodeOptions, RunningNode } from './node.ts'
import { startOurs } from './ours.ts'

/** The broker under test: this repository's, or with `KAFKA_TARGET=apache` the reference, to try the tests themselves. */
export const TARGET: 'ours' | 'apache' = process.env['KAFKA_TARGET'] === 'apache' ? 'apache' : 'ours'

export function startTarget(options: NodeOptions = {}): Promise<RunningNode> {
  return TARGET === 'apache' ? startApache(options) : startOurs(options)
}
