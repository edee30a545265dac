import { expect, test } from '@jest/globals'
import { Broker } from '../../../broker/broker.ts'
import { ConfigError } from '../../../broker/config/config-error.ts'
import { parseServerConfig } from '../../../broker/config/server-config.ts'
import { SimWorld } from '../../fakes/env.ts'
import { silentLogger } from '../../fakes/logger.ts'

test('a node with the role of a broker alone is refused with what is supported', async () => {
  const properties = new Map([
    ['process.roles', 'broker'],
    ['node.id', '2'],
    ['controller.quorum.bootstrap.servers', 'localhost:9093'],
    ['controller.listener.names', 'CONTROLLER'],
    ['listener.security.protocol.map', 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT'],
    ['listeners', 'PLAINTEXT://127.0.0.1:9092'],
    ['log.dirs', '/data'],
  ])
  const { config } = parseServerConfig(properties)
  const env = new SimWorld({ seed: 1 }).machine('one').start()
  const deps = { env, logger: silentLogger(), withProcessMetrics: false, idleRatio: () => 1 }
  const started = Broker.start({ config, hostName: 'one' }, deps)
  await expect(started).rejects.toThrow(ConfigError)
  await expect(started).rejects.toThrow('only broker,controller is supported')
})
