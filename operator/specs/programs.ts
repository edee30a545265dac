import type { KafkaCluster } from '../api/resource.ts'
import { CONTROLLER_PORT, INTERNAL_PORT, isBroker } from './nodes.ts'
import type { Pool } from './nodes.ts'

/** Where the files of a pod's ConfigMap are. */
export const CONFIG_ROOT = '/etc/ottla'

export type DistributionName = KafkaCluster['spec']['distribution']

/** A container's entry point and arguments. */
interface Command {
  readonly command?: readonly string[]
  readonly args: readonly string[]
}

interface Probes {
  readonly startup: object
  readonly liveness: object
  readonly readiness: object
}

/** How the image of a distribution is told what to do, and how it is seen to do it. */
export interface Programs {
  /** `args` as kafka-storage takes them, from `format` on. */
  readonly format: (args: readonly string[]) => Command
  /** `args` as kafka-server-start takes them. */
  readonly serve: (args: readonly string[]) => Command
  readonly probes: (pool: Pool) => Probes
  /** Environment of the broker. */
  readonly env: (pool: Pool) => readonly { readonly name: string; readonly value: string }[]
  /** Whether it has /metrics, and the key metrics.listen. */
  readonly hasMetrics: boolean
  /** Files besides the nodes' server.properties in the directory of these. */
  readonly files: Readonly<Record<string, string>>
}

export function programsOf({ spec }: KafkaCluster): Programs {
  return PROGRAMS[spec.distribution]
}

/** In the image's working directory; its entry point is node. */
const BUNDLED: Programs = {
  format: (args) => ({ args: ['broker/format.js', ...args] }),
  serve: (args) => ({ args: ['broker/main.js', ...args] }),
  probes: () => ({
    startup: http('/healthz'),
    liveness: http('/healthz'),
    readiness: http('/readyz'),
  }),
  env: () => [],
  hasMetrics: true,
  files: {},
}

/** Where the image apache/kafka has Kafka's scripts. */
const SCRIPTS = '/opt/kafka/bin'
const LOGGING = 'log4j2.properties'

/**
 * Apache Kafka's own image. It has no endpoint that tells whether it is well: a broker that listens counts as ready, and the operator looks at
 * the ISR in any case.
 */
const APACHE: Programs = {
  format: (args) => ({ command: [`${SCRIPTS}/kafka-storage.sh`], args }),
  serve: (args) => ({ command: [`${SCRIPTS}/kafka-server-start.sh`], args }),
  probes: (pool) => {
    const listens = { tcpSocket: { port: isBroker(pool) ? INTERNAL_PORT : CONTROLLER_PORT } }
    return { startup: listens, liveness: listens, readiness: listens }
  },
  env: (pool) => [
    // The scripts write below it, and the root file system is read-only.
    { name: 'LOG_DIR', value: '/tmp' },
    { name: 'KAFKA_LOG4J_OPTS', value: `-Dlog4j2.configurationFile=${CONFIG_ROOT}/${LOGGING}` },
    // The scripts' own default is 1 GiB whatever the container may have; half is for the page cache.
    ...(pool.resources.limits?.['memory'] === undefined
      ? []
      : [{ name: 'KAFKA_HEAP_OPTS', value: '-XX:InitialRAMPercentage=25 -XX:MaxRAMPercentage=50' }]),
  ],
  hasMetrics: false,
  files: {
    [LOGGING]: [
      'appenders=console',
      'appender.console.type=Console',
      'appender.console.name=console',
      'appender.console.layout.type=PatternLayout',
      'appender.console.layout.pattern=[%d] %p %m (%c)%n',
      'rootLogger.level=info',
      'rootLogger.appenderRef.console.ref=console',
      '',
    ].join('\n'),
  },
}

const PROGRAMS: Record<DistributionName, Programs> = { bundled: BUNDLED, apache: APACHE }

function http(path: string): object {
  return { httpGet: { path, port: 'metrics', scheme: 'HTTP' } }
}
