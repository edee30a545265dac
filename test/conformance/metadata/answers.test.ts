import { expect, test } from '@jest/globals'
import { startApache } from '../../tools/apache.ts'
import { startOurs } from '../../tools/ours.ts'
import { describeWith } from '../../tools/requires.ts'
import { adminTranscript } from './admin-script.ts'

describeWith(['java', 'mvn'], 'admin requests', () => {
  test('are answered with the codes and in the words of Apache Kafka', async () => {
    const apache = await startApache()
    const theirs = await adminTranscript(apache).finally(() => apache.stop())
    const ours = await startOurs()
    const transcript = await adminTranscript(ours).finally(() => ours.stop())
    expect(transcript).toEqual(theirs)
  }, 120_000)
})
