import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { cached, hashOf } from '../../tools/cache.ts'
import { kafkaJars } from '../../tools/maven.ts'
import { run } from '../../tools/run.ts'

/** Of a Java home: what is not needed to run a server. */
const LEFT_OUT = new Set(['ct.sym', 'src.zip'])
/** What tells whether the context is still the one that would be made. */
const SELF = [import.meta.filename]

/**
 * The build context of an image that is, as far as the operator can tell, apache/kafka: Kafka's jars from Maven Central below /opt/kafka, its two
 * scripts by name and arguments, this machine's Java. Upon the base image, which has a shell and the C library.
 */
export async function apacheFiles(directory: string): Promise<string> {
  const [jars, home] = await Promise.all([kafkaJars(), javaHome()])
  const name = `kafka-files-${basename(home)}-${hashOf(SELF)}`
  return cached(join(directory, name), async (target) => {
    const kafka = join(target, 'root', 'opt', 'kafka')
    for (const part of ['bin', 'libs', 'config']) mkdirSync(join(kafka, part), { recursive: true })
    for (const jar of jars) copyFileSync(jar, join(kafka, 'libs', basename(jar)))
    script(join(kafka, 'bin', 'kafka-storage.sh'), 'kafka.tools.StorageTool')
    script(join(kafka, 'bin', 'kafka-server-start.sh'), 'kafka.Kafka')
    await addJava(join(target, 'root'), home)
    writeFileSync(join(target, 'Dockerfile'), 'ARG BASE\nFROM ${BASE}\nCOPY root /\nUSER 1000:1000\n')
  })
}

/** As the scripts of the distribution do: flags from the environment, the class, its arguments. */
function script(path: string, className: string): void {
  const java = '/opt/java/bin/java -XX:+UseSerialGC -XX:TieredStopAtLevel=1'
  writeFileSync(
    path,
    `#!/bin/sh\nexec ${java} \${KAFKA_HEAP_OPTS:--Xmx384m} $KAFKA_LOG4J_OPTS -cp '/opt/kafka/libs/*' ${className} "$@"\n`,
  )
  chmodSync(path, 0o755)
}

async function javaHome(): Promise<string> {
  const { stderr } = await run('java', ['-XshowSettings:properties', '-version'])
  const home = /java\.home = (.+)/.exec(stderr)?.[1]
  if (home === undefined) throw new Error('java does not tell its home')
  return home
}

/** Links of Debian's package into /etc are followed. */
async function addJava(root: string, home: string): Promise<void> {
  const java = join(root, 'opt', 'java')
  mkdirSync(join(java, 'bin'), { recursive: true })
  copyFileSync(join(home, 'bin', 'java'), join(java, 'bin', 'java'))
  for (const part of ['lib', 'conf']) {
    const filter = (source: string): boolean => !LEFT_OUT.has(basename(source)) && existsSync(source)
    cpSync(join(home, part), join(java, part), { recursive: true, dereference: true, filter })
  }
  const own = readdirSync(join(home, 'lib')).filter(
    (name) => name.endsWith('.so') && existsSync(join(home, 'lib', name)),
  )
  const programs = [join(home, 'bin', 'java'), join(home, 'lib', 'server', 'libjvm.so')]
  const { stdout } = await run('ldd', [
    ...programs,
    ...['libzip.so', 'libnet.so'].filter((name) => own.includes(name)).map((name) => join(home, 'lib', name)),
  ])
  for (const library of new Set(stdout.match(/\/[^ :]+\.so[^ :]*(?= \()/g) ?? [])) {
    if (library.startsWith(home)) continue
    mkdirSync(join(root, dirname(library)), { recursive: true })
    copyFileSync(realpathSync(library), join(root, library))
  }
}
