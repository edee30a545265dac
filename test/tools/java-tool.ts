import type { Writable } from 'node:stream'
import { createInterface } from 'node:readline'
import { java, SMALL_JVM } from './apache.ts'
import { startBound } from './bound-process.ts'
import { javaClasses } from './java-classes.ts'
import { run, type RunOptions, type RunResult } from './run.ts'

/** Runs a class of Apache Kafka's tools by its full name, such as `org.apache.kafka.tools.TopicCommand`, in a JVM of its own. */
export async function javaTool(
  className: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const command = await java(SMALL_JVM, className, args)
  return run(command.program, command.args, options)
}

export interface ToolResult {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** One JVM that runs many tools, one after the other. */
export interface JavaTools {
  /** Runs `main` of the class; resolves whatever its exit code is. */
  call(className: string, args: readonly string[], input?: string): Promise<ToolResult>
  /** As `call`, and rejects unless the exit code is 0; returns its standard output. */
  output(className: string, args: readonly string[], input?: string): Promise<string>
  close(): void
}

/** Starts a JVM with Kafka's jars, its tools and the tests' Java classes. */
export async function startJavaTools(): Promise<JavaTools> {
  const command = await java(SMALL_JVM, 'ToolServer', [], [await javaClasses()])
  const child = startBound(command, { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  let last: Promise<unknown> = Promise.resolve()
  const call = (className: string, args: readonly string[], input = ''): Promise<ToolResult> => {
    const next = last.then(() => exchange(child.stdin, answers, { class: className, args, input }))
    last = next.catch(() => undefined)
    return next
  }
  return {
    call,
    output: async (className, args, input) => {
      const result = await call(className, args, input)
      if (result.code === 0) return result.out
      const told = `${result.out.slice(-4000)}\n${result.err.slice(-4000)}`
      throw new Error(`${className} ${args.join(' ')} ended with ${result.code}:\n${told}`)
    },
    close: () => void child.kill(),
  }
}

interface ToolCommand {
  readonly class: string
  readonly args: readonly string[]
  readonly input: string
}

async function exchange(
  questions: Writable,
  answers: AsyncIterator<string>,
  command: ToolCommand,
): Promise<ToolResult> {
  questions.write(`${JSON.stringify(command)}\n`)
  const answer = await answers.next()
  if (answer.done === true) throw new Error(`the JVM ended during ${command.class}`)
  const result: ToolResult = JSON.parse(answer.value)
  return result
}
