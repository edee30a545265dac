import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, openSync, closeSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** What the tests download or build stays here; git ignores it. */
export const CACHE = resolve(import.meta.dirname, '..', '..', '.cache')

const LOCK_WAIT_MS_MAX = 15 * 60_000

/**
 * The directory or file `path`, made by `make` where it is missing. `make` fills the path it is given, which becomes `path` in
 * one step: a half-made entry is never seen. Test workers are processes: one makes, the others wait.
 */
export async function cached(path: string, make: (target: string) => Promise<void>): Promise<string> {
  if (existsSync(path)) return path
  mkdirSync(dirname(path), { recursive: true })
  await locked(`${path}.lock`, async () => {
    if (existsSync(path)) return
    const target = `${path}.part`
    rmSync(target, { recursive: true, force: true })
    await make(target)
    renameSync(target, path)
  })
  return path
}

/** Runs `body` while holding the lock file `path`; a lock whose owner is dead is taken over. */
export async function locked<T>(path: string, body: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true })
  for (let waitedMs = 0; !tryLock(path); waitedMs += 200) {
    if (waitedMs > LOCK_WAIT_MS_MAX) throw new Error(`${path} is held for too long`)
    await sleep(200)
  }
  try {
    return await body()
  } finally {
    rmSync(path, { force: true })
  }
}

function tryLock(path: string): boolean {
  try {
    const file = openSync(path, 'wx')
    writeSync(file, String(process.pid))
    closeSync(file)
    return true
  } catch {
    if (ownerIsDead(path)) rmSync(path, { force: true })
    return false
  }
}

function ownerIsDead(path: string): boolean {
  try {
    const owner = Number(readFileSync(path, 'utf8'))
    if (owner === 0) return false
    process.kill(owner, 0)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH'
  }
}

/** A short name for the content of `files`, in hex. */
export function hashOf(files: readonly string[]): string {
  const hash = createHash('sha1')
  for (const file of files) hash.update(readFileSync(file))
  return hash.digest('hex').slice(0, 12)
}
