import { parseServerConfig, type ServerConfig } from '../../../broker/config/server-config.ts'

/** What broker 1 runs with, which is no controller and has these log dirs. */
export function dedicatedBroker(logDirs: string): ServerConfig {
  return parseServerConfig(
    new Map([
      ['node.id', '1'],
      ['process.roles', 'broker'],
      ['listeners', 'PLAINTEXT://:9092'],
      ['controller.listener.names', 'CONTROLLER'],
      ['controller.quorum.bootstrap.servers', 'controller:9093'],
      ['log.dirs', logDirs],
    ]),
  ).config
}
