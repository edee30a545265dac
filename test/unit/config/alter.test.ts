import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parseProperties } from '../../../broker/config/properties.ts'
import { reconfigurationProblem } from '../../../broker/config/dynamic-config.ts'
import { configProblem } from '../../../broker/config/resource-config.ts'
import type { ConfigRefusal, ConfigResourceType } from '../../../broker/config/resource-config.ts'
import { parseServerConfig } from '../../../broker/config/server-config.ts'
import { configRules } from '../../../broker/config-rules.ts'
import { changesOf } from '../../../broker/controller/alter-configs.ts'
import { ApiError, attempt } from '../../../broker/controller/result.ts'
import { MetadataImage, ResourceType } from '../../../broker/metadata/image.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'

const STATIC = `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:19493
listeners=PLAINTEXT://127.0.0.1:19492,CONTROLLER://127.0.0.1:19493
controller.listener.names=CONTROLLER
log.dirs=/data
`
const server = parseServerConfig(parseProperties(STATIC)).config

const TYPES: Record<string, ConfigResourceType> = {
  TOPIC: 'topic',
  BROKER: 'broker',
  GROUP: 'group',
  CLIENT_METRICS: 'client-metrics',
}

interface Case {
  readonly resource: string
  readonly name: string
  readonly operation: string
  readonly key: string
  readonly value: string
  /** OK, or Apache's exception and its message. */
  readonly verdict: string
}

/** Each line: resource, name, operation, key, value, and what an Apache Kafka 4.3.1 node answered. */
function cases(): Case[] {
  const text = readFileSync(join(import.meta.dirname, 'fixtures', 'alter.tsv'), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((row) => {
      const [resource = '', name = '', operation = '', key = '', value = '', ...rest] = row.split('\t')
      return { resource, name, operation, key, value, verdict: rest.join(' ') }
    })
}

/** Not of this layer (does the topic exist, which broker is meant, is ELR on), or a bug there (a division by zero). */
const NOT_OURS = /^(UnknownTopic|Timeout|NumberFormat)|while ELR is enabled|\/ by zero/

function verdictOf({ resource, name, operation, key, value }: Case): string {
  const type = TYPES[resource] ?? 'topic'
  if (operation === 'DELETE') return 'OK'
  if (operation !== 'APPEND' && operation !== 'SUBTRACT') return verdict(problemOf(type, name, key, value))
  const changed = attempt(() => changeList(resource, name, operation, key, value))
  if (!(changed instanceof ApiError)) return verdict(problemOf(type, name, key, changed))
  expect(changed.code).toBe(ErrorCode.INVALID_CONFIG)
  return verdict({ error: 'INVALID_CONFIG', message: changed.text ?? '' })
}

/** What comes of a list that the resource has not set. Throws ApiError. */
function changeList(
  resource: string,
  name: string,
  operation: 'APPEND' | 'SUBTRACT',
  key: string,
  value: string,
): string {
  const resourceType = resource === 'BROKER' ? ResourceType.BROKER : ResourceType.TOPIC
  const configs = [{ name: key, configOperation: operation === 'APPEND' ? 2 : 3, value }]
  const rules = configRules(() => server)
  return changesOf(MetadataImage.EMPTY, { resourceType, resourceName: name, configs }, rules).get(key) ?? ''
}

/** As the broker that is asked says it: what is wrong on any, and then what is wrong there. */
function problemOf(type: ConfigResourceType, name: string, key: string, value: string): ConfigRefusal | null {
  const anywhere = configProblem(type, name, { [key]: value }, [key], server)
  if (anywhere !== null || type !== 'broker') return anywhere
  const [none, set] = [new Map<string, string>(), new Map([[key, value]])]
  const to = name === '' ? { perBroker: none, clusterWide: set } : { perBroker: set, clusterWide: none }
  const message = reconfigurationProblem(server, { perBroker: none, clusterWide: none }, to)
  return message === null ? null : { error: 'INVALID_REQUEST', message }
}

function verdict(refusal: ConfigRefusal | null): string {
  if (refusal === null) return 'OK'
  const exception = refusal.error === 'INVALID_CONFIG' ? 'InvalidConfigurationException' : 'InvalidRequestException'
  return `${exception} ${refusal.message}`
}

/** Scala's `require` and Java's exception-in-exception put words around the message that say nothing. */
function essence(text: string): string {
  return text
    .replace('requirement failed: ', '')
    .replace('Invalid value org.apache.kafka.common.config.ConfigException: ', '')
    .replace(' for configuration Invalid dynamic configuration', '')
    .trimEnd()
}

test.each(cases().filter((item) => !NOT_OURS.test(item.verdict)))(
  '$resource $name: $operation $key = $value',
  (item) => {
    expect(essence(verdictOf(item))).toBe(essence(item.verdict))
  },
)
