import { fs, sqlite } from './builtins.ts'
import { errnoOf } from './disk-error.ts'

const SQLITE_BUSY = 5
/** Behind an extended result code is a plain one. */
const PLAIN_CODE = 0xff

/**
 * Locks `path`, an empty file that is made where it is missing; null where another process has it, or another part of this one.
 * It is an fcntl lock, so it goes with its holder however that ends, reaches as far as the file system does (containers, NFS), and Java
 * programs and this one see each other's. Node has no call for it, but SQLite locks its file like that for as long as a transaction is
 * open: this one writes nothing.
 *
 * The kernel drops the lock when the process closes any other descriptor of the file: nobody else here may open it.
 */
export function lockFile(path: string): { release(): void } | null {
  makeFile(path)
  const { DatabaseSync } = sqlite()
  const database = new DatabaseSync(path)
  try {
    // The journal of an empty transaction is a file too, unless it is kept in memory.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (isBusy(error)) return null
    throw new Error(`${path} cannot be locked: ${String(error)}`, { cause: error })
  }
  return { release: () => void (database.isOpen && database.close()) }
}

/** Only what was not there is opened, and so cannot be locked yet. For the rest of it SQLite has no errno. */
function makeFile(path: string): void {
  try {
    fs.closeSync(fs.openSync(path, 'wx'))
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
    fs.accessSync(path, fs.constants.R_OK | fs.constants.W_OK)
  }
}

function isBusy(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'errcode' in error ? Number(error.errcode) : 0
  return (code & PLAIN_CODE) === SQLITE_BUSY
}
