import { setTimeout as sleep } from 'node:timers/promises'
import type { JavaTools } from '../../tools/java-tool.ts'
import type { RunningNode } from '../../tools/node.ts'
import type { Difference } from './differences.ts'
import { type ToolLine, TYPED } from './tool-lines.ts'

/** What only tells, and so may be told again. */
const READS = /--(describe|list|time|verify|topic-partitions)\b/
const RETRIES = 25
const RETRY_MS = 200

/** What tools made of one run or another. Files are in `directory`. */
export class ToolRuns {
  readonly #java: JavaTools
  readonly #directory: string

  constructor(java: JavaTools, directory: string) {
    this.#java = java
    this.#directory = directory
  }

  /** Runs a tool against both; null where it says the same. Apache Kafka may answer before it acts on what was changed. */
  async difference(line: ToolLine, ours: RunningNode, apache: RunningNode): Promise<Difference | null> {
    const what = `${line.className} ${line.line}`
    for (let left = READS.test(line.line) ? RETRIES : 0; ; left--) {
      const found = { what, ours: await this.#run(line, ours), apache: await this.#run(line, apache) }
      if (found.ours === found.apache) return null
      if (left <= 0) return found
      await sleep(RETRY_MS)
    }
  }

  async #run({ className, line }: ToolLine, node: RunningNode): Promise<string> {
    const words = line.replaceAll('@', `${this.#directory}/`).split(' ')
    const { code, out, err } = await this.#java.call(className, ['--bootstrap-server', node.bootstrap, ...words], TYPED)
    return [`exit code ${code}`, ...normal(out, node), ...normal(err, node)].join('\n')
  }
}

/** Lines without what is one node's own or the JVM's, in an order that does not depend on hash maps. */
function normal(text: string, node: RunningNode): string[] {
  return text
    .replaceAll(node.bootstrap, '<broker>')
    .replaceAll(node.logDir, '<log dir>')
    .replaceAll(/\b(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[\w-]{22}(?![\w-])/g, '<id>')
    .replaceAll(/\b1[78]\d{11}\b/g, '<time>')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}/g, '<time>')
    .replaceAll(/[ \t]+/g, ' ')
    .split('\n')
    .filter((line) => line !== '' && !/^ ?at |^ ?\.\.\. \d+ more/.test(line))
    .toSorted()
}
