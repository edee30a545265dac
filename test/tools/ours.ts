import { join } from 'node:path'
import { brokerBundle } from './bundle.ts'
import { type Distribution, type NodeOptions, type RunningNode, startNode } from './node.ts'

/** Formats and starts a node of this repository. */
export function startOurs(options: NodeOptions = {}): Promise<RunningNode> {
  return startNode(OURS, options)
}

/** As in the image. */
export const OURS: Distribution = {
  name: 'ours',
  format: async (file, { clusterId, quorum }) => {
    const bundle = await brokerBundle()
    return {
      program: process.execPath,
      args: [join(bundle, 'broker/format.js'), 'format', ...quorum, '-t', clusterId, '-c', file],
      env: { NODE_COMPILE_CACHE: join(bundle, 'compile-cache') },
    }
  },
  serve: async (file) => {
    const bundle = await brokerBundle()
    return {
      program: process.execPath,
      args: [join(bundle, 'broker/main.js'), file],
      env: {
        NODE_COMPILE_CACHE: join(bundle, 'compile-cache'),
        NODE_OPTIONS: '--max-semi-space-size=2',
        MALLOC_ARENA_MAX: '1',
        UV_THREADPOOL_SIZE: '32',
      },
    }
  },
}
