import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Distribution, type NodeOptions, type RunningNode, startNode } from './node.ts'

const BROKER = resolve(import.meta.dirname, '..', '..', 'broker')

/** Formats and starts a node of this repository. */
export function startOurs(options: NodeOptions = {}): Promise<RunningNode> {
  return startNode(OURS, options)
}

export const OURS: Distribution = {
  name: 'ours',
  format: async (file, clusterId, quorum) => ({
    program: process.execPath,
    args: [`${BROKER}/format.ts`, 'format', ...quorum, '-t', clusterId, '-c', file],
  }),
  serve: async (file) => ({
    program: process.execPath,
    args: [`${BROKER}/main.ts`, file],
    // As in the image: the program that turns the cache on comes from it too.
    env: {
      NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'),
      NODE_OPTIONS: '--max-semi-space-size=2',
      MALLOC_ARENA_MAX: '1',
    },
  }),
}
