import { expect, test } from '@jest/globals'
import { startApache } from '../../tools/apache.ts'
import type { RunningNode } from '../../tools/node.ts'
import { startOurs } from '../../tools/ours.ts'
import { describeWith } from '../../tools/requires.ts'
import { adminTranscript } from './admin-script.ts'

async function transcriptOf(starting: Promise<RunningNode>): Promise<string[]> {
  const node = await starting
  try {
    return await adminTranscript(node)
  } finally {
    await node.stop()
  }
}

describeWith(['java', 'mvn'], 'admin requests', () => {
  test('are answered with the codes and in the words of Apache Kafka', async () => {
    const theirs = await transcriptOf(startApache())
    expect(await transcriptOf(startOurs())).toEqual(theirs)
  }, 120_000)
})
