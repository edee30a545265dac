import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { readManifests } from '../../../../operator/local/manifests.ts'
import type { Manifests } from '../../../../operator/local/manifests.ts'
import {
  cluster,
  EVERYTHING,
  REFUSED_CLUSTERS,
  REFUSED_NAMES,
  REFUSED_TOPICS,
  topic,
} from '../../../tools/crd-cases.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ottla-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function read(...resources: readonly object[]): Manifests {
  writeFileSync(join(directory, 'it.yaml'), resources.map((one) => JSON.stringify(one)).join('\n---\n'))
  return readManifests(directory)
}

function refusal(...resources: readonly object[]): string {
  try {
    read(...resources)
    return 'accepted'
  } catch (error) {
    return String(error)
  }
}

const OWN = { cluster: { name: 'orders' } }

test.each(REFUSED_CLUSTERS)('what an API server refuses of a KafkaCluster is refused: %j', (spec, words) => {
  const problems = refusal(cluster(spec))
  expect(problems).toContain('is invalid')
  expect(problems.toLowerCase()).toContain(words.toLowerCase())
})

test.each(REFUSED_NAMES)('so is the name %s', (name) => {
  expect(refusal(cluster({}, name))).toContain('metadata.name')
})

test.each(REFUSED_TOPICS)('so is a KafkaTopic: %j', (spec, words) => {
  const problems = refusal(cluster(), topic({ ...OWN, ...spec }))
  expect(problems).toContain('KafkaTopic payments is invalid')
  expect(problems).toContain(words)
})

test('what works is accepted', () => {
  const config = { 'min.insync.replicas': 2, 'retention.ms': -1, 'cleanup.policy': 'compact' }
  const { topics } = read(cluster(EVERYTHING), topic({ ...OWN, topicName: 'a.b', replicas: 3, config }))
  expect(topics).toHaveLength(1)
})
