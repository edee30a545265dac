import { mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { java, SMALL_JVM } from './apache.ts'
import { cached, CACHE, hashOf } from './cache.ts'
import { kafkaJars } from './maven.ts'
import { run, type RunOptions, type RunResult } from './run.ts'

/** Runs a class of Apache Kafka's tools by its full name, such as `org.apache.kafka.tools.TopicCommand`. */
export async function javaTool(
  className: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const command = await java(SMALL_JVM, className, args)
  return run(command.program, command.args, options)
}

/** Compiles the Java files (all of the unnamed package) against Kafka's jars, once, and returns the directory of the classes. */
export async function javaClasses(files: readonly string[]): Promise<string> {
  const name = `${basename(files[0] ?? 'classes', '.java')}-${hashOf(files)}`
  return cached(join(CACHE, 'java', name), async (target) => {
    mkdirSync(target, { recursive: true })
    await run('javac', ['-nowarn', '-cp', (await kafkaJars()).join(':'), '-d', target, ...files])
  })
}

/** Compiles `files` and runs the class `className` of them. */
export async function javaMain(
  files: readonly string[],
  className: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const command = await java(SMALL_JVM, className, args, [await javaClasses(files)])
  return run(command.program, command.args, options)
}
