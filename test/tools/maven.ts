import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached, CACHE, locked } from './cache.ts'
import { run } from './run.ts'

const KAFKA_VERSION = '4.3.1'

/** The broker and its tools, with a logger so that what they say is seen. */
const KAFKA: readonly string[] = [
  `org.apache.kafka:kafka_2.13:${KAFKA_VERSION}`,
  `org.apache.kafka:kafka-tools:${KAFKA_VERSION}`,
  `org.apache.kafka:kafka-shell:${KAFKA_VERSION}`,
  'org.apache.logging.log4j:log4j-slf4j-impl:2.25.3',
]

/** Every jar of Apache Kafka 4.3.1, broker and tools. Needs `mvn` the first time. */
export function kafkaJars(): Promise<string[]> {
  return mavenJars(KAFKA)
}

/**
 * The jars of `coordinates` (`group:artifact:version` or `group:artifact:version:classifier`) and of everything they need at run
 * time, as absolute paths. Downloaded once by Maven. Needs `mvn` the first time.
 */
async function mavenJars(coordinates: readonly string[]): Promise<string[]> {
  const key = createHash('sha1').update(coordinates.join('\n')).digest('hex').slice(0, 12)
  const directory = join(CACHE, 'maven', key)
  await cached(directory, async (target) => {
    mkdirSync(target, { recursive: true })
    const pom = join(target, 'pom.xml')
    writeFileSync(pom, pomOf(coordinates))
    const args = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${target}`]
    // Maven's local repository is not safe for several writers.
    await locked(join(CACHE, 'maven.lock'), () =>
      run('mvn', [...args, '-DincludeScope=runtime'], { timeoutMs: 15 * 60_000 }),
    )
  })
  return readdirSync(directory)
    .filter((name) => name.endsWith('.jar'))
    .sort()
    .map((name) => join(directory, name))
}

function pomOf(coordinates: readonly string[]): string {
  const dependencies = coordinates.map((coordinate) => {
    const [group, artifact, version, classifier] = coordinate.split(':')
    const extra = classifier === undefined ? '' : `<classifier>${classifier}</classifier>`
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>${extra}</dependency>`
  })
  return `<project><modelVersion>4.0.0</modelVersion>
<groupId>ottla.test</groupId><artifactId>jars</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependencies.join('\n')}</dependencies></project>
`
}
