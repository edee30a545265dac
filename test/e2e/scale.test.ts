import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { describeWith } from '../tools/requires.ts'
import { run } from '../tools/run.ts'

const CLUSTERS = join(import.meta.dirname, '..', 'scale', 'clusters.ts')
/** Where kind is the Kubernetes of the tests, the programs of this one are compiled the first time. */
const MS_MAX = 40 * 60_000

describeWith(['go'], 'the operator in a Kubernetes without kubelets', () => {
  test(
    'makes ten clusters and leaves them alone, within what it may take of the machine',
    async () => {
      const options = { env: { IDLE_RESYNCS: '1' }, timeoutMs: MS_MAX }
      const { stdout } = await run(process.execPath, [CLUSTERS, '10'], options)
      expect(stdout).toContain('10 clusters made and Ready')
    },
    MS_MAX,
  )
})
