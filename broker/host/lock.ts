import { fs } from './builtins.ts'
import { errnoOf } from './disk-error.ts'

/**
 * Locks `path` for this process. Node has no fcntl lock, so the lock is a file beside it, `<path>.pid`, that names its holder;
 * a holder that no longer runs (a kill -9, a power loss) has lost it. Java programs lock `path` itself with fcntl, and Linux
 * lists such locks: one is respected, though ours is invisible to them. Null where another process has it.
 */
export function lockFile(path: string): { release(): void } | null {
  fs.closeSync(fs.openSync(path, 'a'))
  if (isLockedByFcntl(path)) return null
  const holderPath = `${path}.pid`
  const own = identity(process.pid)
  if (!takeHolderFile(holderPath, own)) return null
  return {
    release: () => {
      if (readIfThere(holderPath) === own) fs.rmSync(holderPath, { force: true })
    },
  }
}

function takeHolderFile(holderPath: string, own: string): boolean {
  // link() fails where the name exists, and shows the file only with its content: no one ever reads half an identity.
  const draft = `${holderPath}.${process.pid}`
  fs.writeFileSync(draft, own)
  try {
    if (linked(draft, holderPath)) return true
    const holder = readIfThere(holderPath)
    if (holder !== undefined && isRunning(holder)) return false
    if (holder !== undefined && !removeStale(holderPath, holder)) return false
    return linked(draft, holderPath)
  } finally {
    fs.rmSync(draft, { force: true })
  }
}

/** Removes the file of a dead holder, unless somebody has just replaced it: then that one goes back to its place. */
function removeStale(holderPath: string, holder: string): boolean {
  const aside = `${holderPath}.${process.pid}.stale`
  try {
    fs.renameSync(holderPath, aside)
  } catch {
    return true
  }
  const isStale = fs.readFileSync(aside, 'utf8') === holder
  if (!isStale) linked(aside, holderPath)
  fs.rmSync(aside, { force: true })
  return isStale
}

function linked(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
}

/** A pid is used again after a restart, so the boot and the time at which the process started belong to it. */
function identity(pid: number): string {
  const boot = readIfThere('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
  return `${pid} ${startTime(pid)} ${boot}\n`
}

/** Field 22 of /proc/<pid>/stat, counted behind the command, which may hold spaces. Empty where there is no /proc. */
function startTime(pid: number): string {
  const stat = readIfThere(`/proc/${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

function isRunning(holder: string): boolean {
  const pid = Number.parseInt(holder, 10)
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return false
  }
  return identity(pid) === holder
}

/** /proc/locks: `1: POSIX  ADVISORY  WRITE 4711 fd:01:131104 0 EOF`. Not there outside Linux. */
function isLockedByFcntl(path: string): boolean {
  const { ino } = fs.statSync(path)
  const locks = readIfThere('/proc/locks') ?? ''
  return locks.split('\n').some((line) => {
    const [, kind, , , , file] = line.split(/\s+/)
    return kind === 'POSIX' && file?.split(':')[2] === String(ino)
  })
}

function readIfThere(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
