import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from './bound-process.ts'
import { cached, CACHE } from './cache.ts'
import { javaClasses } from './java-classes.ts'
import { kafkaJars } from './maven.ts'
import { type Distribution, type Format, type NodeOptions, type RunningNode, startNode } from './node.ts'
import { run } from './run.ts'

/** Starts soon and stays small: what tests want. */
export const SMALL_JVM: readonly string[] = ['-Xms64m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

/** What kafka-server-start and kafka-run-class of Apache's distribution give the broker's JVM; it shares no classes either. */
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

/** With `DEFAULT_JVM` it is formatted on its own, as users do. */
export function apache(jvm: readonly string[]): Distribution {
  return jvm === DEFAULT_JVM ? inTwoSteps(jvm, java) : inOneStep(jvm)
}

function inTwoSteps(jvm: readonly string[], commandOf: typeof java): Distribution {
  return {
    name: 'apache',
    format: (file, format) => commandOf(SMALL_JVM, 'kafka.tools.StorageTool', wordsOf(file, format)),
    serve: (file) => commandOf(jvm, 'kafka.Kafka', [file]),
  }
}

function inOneStep(jvm: readonly string[]): Distribution {
  return {
    name: 'apache',
    format: null,
    serve: async (file, format) =>
      format === undefined
        ? java(jvm, 'kafka.Kafka', [file])
        : java(jvm, 'FormattedKafka', [file, ...wordsOf(file, format)], [await javaClasses()]),
  }
}

function wordsOf(file: string, { clusterId, quorum }: Format): string[] {
  return ['format', ...quorum, '-t', clusterId, '-c', file]
}

/** The command that runs `main` of a class in Apache's jars, or in `extraClasspath`. */
export async function java(
  jvm: readonly string[],
  className: string,
  args: readonly string[],
  extraClasspath: readonly string[] = [],
): Promise<Command> {
  const shared = jvm === DEFAULT_JVM ? [] : await sharedClasses()
  return command([...jvm, ...shared], className, args, extraClasspath)
}

/** Java 17 goes by the locale, which may be none. */
const ENCODING = '-Dfile.encoding=UTF-8'

/** Behind Apache's jars, which must come first where classes are shared. */
async function command(
  jvm: readonly string[],
  className: string,
  args: readonly string[],
  extraClasspath: readonly string[] = [],
): Promise<Command> {
  const classpath = [...(await kafkaJars()), ...extraClasspath].join(':')
  const logging = `-Dlog4j2.configurationFile=${await loggingFile()}`
  return { program: 'java', args: [...jvm, ENCODING, logging, '-cp', classpath, className, ...args] }
}

let sharing: Promise<string[]> | undefined

/** Flags of a JVM that finds what a broker loads parsed and verified: it starts in half the time. One that cannot use that loads its own. */
function sharedClasses(): Promise<string[]> {
  sharing ??= archivedClasses().then((archive) => [`-XX:SharedArchiveFile=${archive}`, ...IN_PLACE, ...QUIET])
  return sharing
}

/** The classes that a broker has loaded when it ends (application class-data sharing, JEP 350), for this JVM and these jars. */
async function archivedClasses(): Promise<string> {
  const { stderr: version } = await run('java', ['-version'])
  const key = createHash('sha1')
    .update(version)
    .update((await kafkaJars()).join('\n'))
  const path = join(CACHE, 'java', `classes-${key.digest('hex').slice(0, 12)}.jsa`)
  return cached(path, async (target) => {
    const jvm = [...SMALL_JVM, `-XX:ArchiveClassesAtExit=${target}`, ...QUIET]
    const node = await startNode(inTwoSteps(jvm, command))
    await node.stop()
  })
}

/** Where the archive says, not somewhere else for safety's sake: all of its pointers would have to be changed. */
const IN_PLACE: readonly string[] = [
  '-XX:+IgnoreUnrecognizedVMOptions',
  '-XX:+UnlockDiagnosticVMOptions',
  '-XX:ArchiveRelocationMode=0',
]

/** The JVM's own warnings are not for who reads a tool's output. */
const QUIET: readonly string[] = ['-Xlog:disable', '-Xlog:all=error:stderr']

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
