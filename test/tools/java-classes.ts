import { mkdirSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { cached, CACHE, hashOf } from './cache.ts'
import { kafkaJars } from './maven.ts'
import { run } from './run.ts'

const TESTS = resolve(import.meta.dirname, '..')

/** The directory of the classes of all the tests' Java files, of the unnamed package, compiled against Kafka's jars: in one go, since each takes long. */
export async function javaClasses(): Promise<string> {
  const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.java'))
    .toSorted()
    .map((name) => join(TESTS, name))
  return cached(join(CACHE, 'java', `classes-${hashOf(files)}`), async (target) => {
    mkdirSync(target, { recursive: true })
    const options = ['-nowarn', '-proc:none', '-encoding', 'UTF-8', '-d', target]
    await run('javac', [...options, '-cp', (await kafkaJars()).join(':'), ...files])
  })
}
