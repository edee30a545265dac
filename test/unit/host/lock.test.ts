import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { NodeDisk } from '../../../broker/host/disk.ts'
import { describeWith } from '../../tools/requires.ts'

let root: string
let path: string
const holders: ChildProcess[] = []
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ottla-lock-'))
  path = join(root, '.lock')
})
afterEach(async () => {
  for (const holder of holders.splice(0)) await kill(holder)
  rmSync(root, { recursive: true, force: true })
})

const LOCK = `
  const { lockFile } = await import(process.argv[1])
  const lock = lockFile(process.argv[2])
  console.log(lock === null ? 'refused' : 'locked')
  if (process.argv[3] === 'hold') setInterval(() => lock, 1000)`
const env = { ...process.env, NODE_OPTIONS: '' }

function command(...rest: readonly string[]): [string, string[]] {
  const module = new URL('../../../broker/host/lock.ts', import.meta.url).href
  return [process.execPath, ['--no-warnings', '--input-type=module', '-e', LOCK, module, path, ...rest]]
}

/** A process that goes on to run, once it has said what `said` is. */
async function started(program: string, args: readonly string[], said: string): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env })
  holders.push(child)
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
  expect(chunk.toString().trim()).toBe(said)
  return child
}

const holder = (): Promise<ChildProcess> => started(...command('hold'), 'locked')

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

function lockElsewhere(...prefix: readonly string[]): string {
  const [program = '', ...args] = [...prefix, ...command().flat()]
  return execFileSync(program, args, { encoding: 'utf8', env }).trim()
}

describe('a lock', () => {
  test('is of one process at a time', async () => {
    const child = await holder()
    expect(new NodeDisk().lock(path)).toBeNull()
    await kill(child)
    const lock = new NodeDisk().lock(path)
    expect(lock).not.toBeNull()
    expect(lockElsewhere()).toBe('refused')
    lock?.release()
    lock?.release()
    expect(lockElsewhere()).toBe('locked')
  })

  test('stays when somebody else here asked for it', () => {
    const lock = new NodeDisk().lock(path)
    expect(new NodeDisk().lock(path)).toBeNull()
    expect(lockElsewhere()).toBe('refused')
    lock?.release()
  })

  test('leaves an empty file, as Apache Kafka does', async () => {
    await kill(await holder())
    new NodeDisk().lock(path)?.release()
    expect(readdirSync(root)).toEqual(['.lock'])
    expect(statSync(path).size).toBe(0)
  })

  test('on what cannot be locked is an error', () => {
    expect(() => new NodeDisk().lock(join(root, 'none', '.lock'))).toThrow(expect.objectContaining({ code: 'ENOENT' }))
    writeFileSync(path, 'what is not empty')
    expect(() => new NodeDisk().lock(path)).toThrow(/\.lock cannot be locked: .*not a database/)
  })
})

describeWith(['root', 'unshare'], 'in a container that sees no process of the other', () => {
  test('a lock is respected', async () => {
    const child = await holder()
    expect(lockElsewhere('unshare', '--pid', '--fork', '--mount-proc')).toBe('refused')
    await kill(child)
    expect(lockElsewhere('unshare', '--pid', '--fork', '--mount-proc')).toBe('locked')
  })
})

const HOLD = `
import fcntl, sys
f = open(sys.argv[1], 'w')
fcntl.lockf(f, fcntl.LOCK_EX)
print('locked', flush=True)
sys.stdin.read()`
const TRY = `
import fcntl, sys
try:
  fcntl.lockf(open(sys.argv[1], 'w'), fcntl.LOCK_EX | fcntl.LOCK_NB)
  print('locked')
except OSError:
  print('refused')`

describeWith(['python3'], 'a lock of a whole file, as Java programs take it', () => {
  test('is respected', async () => {
    const child = await started('python3', ['-c', HOLD, path], 'locked')
    expect(new NodeDisk().lock(path)).toBeNull()
    await kill(child)
    expect(new NodeDisk().lock(path)).not.toBeNull()
  })

  test('is refused while ours is held', () => {
    const tryLock = (): string => execFileSync('python3', ['-c', TRY, path], { encoding: 'utf8' }).trim()
    const lock = new NodeDisk().lock(path)
    expect(tryLock()).toBe('refused')
    lock?.release()
    expect(tryLock()).toBe('locked')
  })
})
