import { expect, test } from '@jest/globals'
import { parseServerConfig } from '../../../broker/config/server-config.ts'
import { connectionLimits } from '../../../broker/listeners.ts'

const NODE = {
  'node.id': '1',
  'process.roles': 'broker',
  listeners: 'PLAINTEXT://:9092',
  'controller.listener.names': 'CONTROLLER',
  'controller.quorum.bootstrap.servers': 'controller:9093',
}

function limits(more: Readonly<Record<string, string>>) {
  const { config } = parseServerConfig(new Map(Object.entries({ ...NODE, ...more })))
  return connectionLimits(() => config, 100_000)
}

test('an address has its own limit, however it is written', () => {
  const { ofAddress } = limits({
    'max.connections.per.ip': '5',
    'max.connections.per.ip.overrides': '10.0.0.1:7,0:0:0:0:0:0:0:1:8',
  })
  expect(['10.0.0.1', '::ffff:10.0.0.1', '::1', '10.0.0.2'].map(ofAddress)).toEqual([7, 7, 8, 5])
})

test('a listener has no limit unless it is given one', () => {
  const { ofListener } = limits({ 'listener.name.plaintext.max.connections': '3' })
  expect(['PLAINTEXT', 'OTHER'].map(ofListener)).toEqual([3, Infinity])
})

test('no more are let in than the process may have open', () => {
  expect(limits({ 'max.connections': '7' }).total()).toBe(7)
  expect(limits({}).total()).toBeLessThan(100_000)
})
