import { expect, test } from '@jest/globals'
import { setText } from '../../../broker/config/layers.ts'
import { parseProperties } from '../../../broker/config/properties.ts'
import { parseServerConfig, type ServerConfig } from '../../../broker/config/server-config.ts'
import { CurrentConfig } from '../../../broker/current-config.ts'
import { MetadataDelta } from '../../../broker/metadata/delta.ts'
import { MetadataImage, ResourceType } from '../../../broker/metadata/image.ts'
import { MemoryLogger } from '../../fakes/logger.ts'
import { dedicatedBroker } from '../config/dedicated-broker.ts'
import { config as configRecord } from '../metadata/records.ts'

type Setting = readonly [resource: string, name: string, value: string]

function applied(...settings: readonly Setting[]) {
  return appliedTo(dedicatedBroker('/data'), ...settings)
}

function appliedTo(config: ServerConfig, ...settings: readonly Setting[]) {
  const logger = new MemoryLogger()
  const current = new CurrentConfig({ config }, { logger })
  const delta = new MetadataDelta(MetadataImage.EMPTY)
  for (const [resource, name, value] of settings) delta.replay(configRecord(ResourceType.BROKER, resource, name, value))
  current.apply(delta, delta.finish({ offset: 1, epoch: 1, timestampMs: 0 }))
  return { value: current.value, logger }
}

test('a setting that a broker cannot run with is left and logged; the others come into force', () => {
  const { value, logger } = applied(
    ['1', 'cordoned.log.dirs', '/gone'],
    ['1', 'num.io.threads', '9'],
    ['', 'log.retention.ms', '5000'],
  )
  expect(value).toMatchObject({ cordonedLogDirs: [], numIoThreads: 9, logRetentionMs: 5000 })
  expect(logger.events).toMatchObject([
    { level: 'error', fields: { left: [{ layer: 'perBroker', name: 'cordoned.log.dirs' }] } },
  ])
})

test('settings that go together only with each other are all taken', () => {
  const { value, logger } = applied(
    ['1', 'cordoned.log.dirs', '/gone'],
    ['', 'max.connections.per.ip', '0'],
    ['', 'max.connections.per.ip.overrides', '10.0.0.1:5'],
  )
  expect(value.maxConnectionsPerIp).toBe(0)
  expect(logger.events).toHaveLength(1)
})

test('a limit that would let nobody in is left', () => {
  const { value, logger } = applied(
    ['', 'max.connections', '0'],
    ['1', 'listener.name.plaintext.max.connections', '0'],
    ['1', 'max.connections.per.ip', '7'],
  )
  expect(value).toMatchObject({ maxConnections: 2_147_483_647, maxConnectionsPerIp: 7 })
  expect(logger.events).toMatchObject([
    { fields: { left: [{ name: 'max.connections' }, { name: 'listener.name.plaintext.max.connections' }] } },
  ])
})

test('nor does a controller shut out the other nodes, though a broker takes such a limit for it', () => {
  const listeners = ['listeners=PLAINTEXT://:9092,CONTROLLER://:9093', 'controller.quorum.voters=1@localhost:9093']
  const common = [
    'process.roles=broker,controller',
    'node.id=1',
    'controller.listener.names=CONTROLLER',
    'log.dirs=/data',
  ]
  const combined = parseServerConfig(parseProperties([...common, ...listeners].join('\n'))).config
  const name = 'listener.name.controller.max.connections'
  const { value, logger } = applied(['', name, '0'])
  expect([setText(value.layers, name), logger.events]).toEqual(['0', []])
  const own = appliedTo(combined, ['', name, '0'])
  expect(setText(own.value.layers, name)).toBe(undefined)
  expect(own.logger.events).toMatchObject([{ fields: { left: [{ name }] } }])
})

test('listeners stay as they are bound', () => {
  const { value, logger } = applied(
    ['1', 'listeners', 'PLAINTEXT://:9092,OTHER://:9094'],
    ['1', 'listener.security.protocol.map', 'PLAINTEXT:PLAINTEXT,OTHER:PLAINTEXT'],
  )
  expect(value.listeners.map(({ name }) => name)).toEqual(['PLAINTEXT'])
  expect(logger.events).toMatchObject([{ fields: { left: [{ name: 'listeners' }] } }])
})
