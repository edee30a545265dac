import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached, CACHE } from './cache.ts'
import { kafkaJars } from './maven.ts'
import { type Distribution, type NodeOptions, type RunningNode, startNode } from './node.ts'
import type { Command } from './server-process.ts'

/** Starts soon and stays small: what tests want. */
export const SMALL_JVM: readonly string[] = ['-Xms64m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

/** What kafka-server-start and kafka-run-class of Apache's distribution give the broker's JVM. */
export const DEFAULT_JVM: readonly string[] = [
  '-Xmx1G',
  '-Xms1G',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-Djava.awt.headless=true',
]

export interface ApacheOptions extends NodeOptions {
  readonly jvm?: readonly string[]
}

/** Formats and starts an Apache Kafka 4.3.1 node. Needs `java`, and `mvn` the first time. */
export function startApache(options: ApacheOptions = {}): Promise<RunningNode> {
  return startNode(apache(options.jvm ?? SMALL_JVM), options)
}

export function apache(jvm: readonly string[]): Distribution {
  return {
    name: 'apache',
    format: (file, clusterId, quorum) =>
      java(SMALL_JVM, 'kafka.tools.StorageTool', ['format', ...quorum, '-t', clusterId, '-c', file]),
    serve: (file) => java(jvm, 'kafka.Kafka', [file]),
  }
}

/** The command that runs `main` of a class in Apache's jars, or in `extraClasspath`. */
export async function java(
  jvm: readonly string[],
  className: string,
  args: readonly string[],
  extraClasspath: readonly string[] = [],
): Promise<Command> {
  const classpath = [...extraClasspath, ...(await kafkaJars())].join(':')
  const logging = `-Dlog4j2.configurationFile=${await loggingFile()}`
  return { program: 'java', args: [...jvm, logging, '-cp', classpath, className, ...args] }
}

function loggingFile(): Promise<string> {
  return cached(join(CACHE, 'java', 'log4j2.properties'), async (target) => {
    mkdirSync(join(CACHE, 'java'), { recursive: true })
    writeFileSync(
      target,
      `appenders=console
appender.console.type=Console
appender.console.name=console
appender.console.target=SYSTEM_ERR
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d %p %m (%c)%n
rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
`,
    )
  })
}
