import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'

const TOOLS = resolve(import.meta.dirname, '..', '..', 'tools')

let directory: string
const pidFile = (): string => join(directory, 'pid')
const outputFile = (): string => join(directory, 'output.log')

beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'bound-'))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** Arguments of a Node that says its process id in a file, and stays. */
function lasting(): string[] {
  const write = `require('fs').writeFileSync(${JSON.stringify(pidFile())}, String(process.pid))`
  return ['-e', `${write}; setInterval(() => {}, 1000)`]
}

/** Runs a program that starts one that stays; resolves with both once that one is there. The program ends when it is written to. */
async function startedBy(start: string, ending = 'process.exit(0)') {
  const program = `
    import { run } from ${JSON.stringify(join(TOOLS, 'run.ts'))}
    import { ServerProcess } from ${JSON.stringify(join(TOOLS, 'server-process.ts'))}
    const [program, args, output] = ${JSON.stringify([process.execPath, lasting(), outputFile()])}
    ${start}
    process.stdin.once('data', () => {
      ${ending}
    })
  `
  const args = ['--no-warnings', '--input-type=module', '-e', program]
  const parent = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  await until(() => existsSync(pidFile()) && readFileSync(pidFile(), 'utf8') !== '')
  return { parent, pid: Number(readFileSync(pidFile(), 'utf8')) }
}

async function until(isSo: () => boolean): Promise<void> {
  for (let waited = 0; !isSo() && waited < 5000; waited += 20) await sleep(20)
}

/** A process that nobody has asked how it ended is over too. */
function isOver(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') ?? true
  } catch {
    return true
  }
}

/** Whether it comes to that; nothing is left behind either way. */
async function ends(pid: number): Promise<boolean> {
  await until(() => isOver(pid))
  if (isOver(pid)) return true
  process.kill(pid, 'SIGKILL')
  return false
}

const SERVER = "new ServerProcess('a server', { program, args }, output)"
const COMMAND = 'run(program, args)'

describe('a process that was started goes', () => {
  test.each([
    ['server', 'is killed', SERVER, 'SIGKILL'],
    ['server', 'is told to end', SERVER, 'SIGTERM'],
    ['server', 'ends by itself', SERVER, null],
    ['command', 'is killed', COMMAND, 'SIGKILL'],
    ['command', 'ends by itself', COMMAND, null],
  ] as const)('as a %s, where who started it %s', async (_, __, start, signal) => {
    const { parent, pid } = await startedBy(start)
    expect(isOver(pid)).toBe(false)
    if (signal === null) parent.stdin.write('end')
    else parent.kill(signal)
    expect(await ends(pid)).toBe(true)
  })

  test('with the test file, and another one is not started any more', async () => {
    const again = `try { ${SERVER} } catch (error) { console.log(error.message) }`
    const { parent, pid } = await startedBy(SERVER, `process.emit('exit', 0); ${again}`)
    parent.stdin.write('end')
    const [told] = await once(parent.stdout, 'data')
    parent.kill()
    expect(String(told)).toContain('is not started: whoever wants it is over')
    expect(await ends(pid)).toBe(true)
  })
})

interface Environment {
  readonly global: { readonly process: NodeJS.Process }
  teardown(): Promise<void>
}

test('the end of a test file is told to it as that of a process', async () => {
  const { default: PlainEnvironment } = (await import(join(TOOLS, 'jest-environment.mjs'))) as {
    default: new (config: unknown, context: unknown) => Environment
  }
  const projectConfig = { globals: {}, testEnvironmentOptions: {} }
  const environment = new PlainEnvironment({ globalConfig: {}, projectConfig }, {})
  let isTold = false
  environment.global.process.once('exit', () => (isTold = true))
  await environment.teardown()
  expect(isTold).toBe(true)
})
