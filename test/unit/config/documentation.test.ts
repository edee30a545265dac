import { expect, test } from '@jest/globals'
import { BROKER_KEYS } from '../../../broker/config/broker-keys.ts'
import { brokerDocumentation, otherDocumentation, topicDocumentation } from '../../../broker/config/documentation.ts'
import { CLIENT_METRICS_DOCUMENTATION, COORDINATOR_DOCUMENTATION } from '../../../broker/config/documentation-groups.ts'
import { SECURITY_DOCUMENTATION } from '../../../broker/config/documentation-security.ts'
import { SERVER_DOCUMENTATION } from '../../../broker/config/documentation-server.ts'
import { STORAGE_DOCUMENTATION } from '../../../broker/config/documentation-storage.ts'
import { TOPIC_DOCUMENTATION } from '../../../broker/config/documentation-topic.ts'
import { CLIENT_METRICS_KEYS, GROUP_KEYS } from '../../../broker/config/group-keys.ts'
import { TOPIC_KEYS } from '../../../broker/config/topic-keys.ts'

test.each([
  ['broker', BROKER_KEYS, brokerDocumentation],
  ['topic', TOPIC_KEYS, topicDocumentation],
  ['group', GROUP_KEYS, otherDocumentation],
  ['client metrics', CLIENT_METRICS_KEYS, otherDocumentation],
])('every key of a %s is explained in a sentence', (_, keys, documentation) => {
  const bad = keys.filter(({ name }) => !/^[A-Z][^\n|]+\.$/.test(documentation(name) ?? ''))
  expect(bad.map(({ name }) => name)).toEqual([])
})

test('nothing is explained that is no key', () => {
  const names = new Set<string>([...BROKER_KEYS, ...TOPIC_KEYS, ...CLIENT_METRICS_KEYS].map(({ name }) => name))
  const explained = [
    SERVER_DOCUMENTATION,
    STORAGE_DOCUMENTATION,
    COORDINATOR_DOCUMENTATION,
    SECURITY_DOCUMENTATION,
    TOPIC_DOCUMENTATION,
    CLIENT_METRICS_DOCUMENTATION,
  ].flatMap((table) => Object.keys(table))
  expect(explained.filter((name) => !names.has(name))).toEqual([])
})

test('a key for one listener is explained as the key that it overrides', () => {
  expect(brokerDocumentation('listener.name.internal.ssl.client.auth')).toBe(brokerDocumentation('ssl.client.auth'))
  expect(brokerDocumentation('no.such.key')).toBeNull()
})

test('a key that is the default of a topic says so', () => {
  expect(brokerDocumentation('log.segment.bytes')).toMatch(/^Default of segment\.bytes: /)
})
