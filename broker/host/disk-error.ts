import { DiskError } from '../env/disk.ts'
import type { DiskErrorCode } from '../env/disk.ts'

const CODES: ReadonlySet<string> = new Set([
  'ENOENT',
  'EEXIST',
  'ENOSPC',
  'EIO',
  'EROFS',
  'EACCES',
  'ENOTEMPTY',
  'EMFILE',
])
/** Codes that mean to a caller what one of ours says. */
const ALIASES: Record<string, DiskErrorCode> = { EDQUOT: 'ENOSPC', EPERM: 'EACCES', ENFILE: 'EMFILE' }

function isCode(code: string): code is DiskErrorCode {
  return CODES.has(code)
}

/** The errno name of a system call's error, '' where it is something else. */
export function errnoOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
}

/** Node's error as the port's. */
export function diskError(cause: unknown, path: string): DiskError {
  if (cause instanceof DiskError) return cause
  const errno = errnoOf(cause)
  const code = isCode(errno) ? errno : (ALIASES[errno] ?? 'OTHER')
  return new DiskError(code, path, messageOf(cause), cause)
}

function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error)
}

/** Runs a file system call; what it throws becomes a DiskError. */
export function guarded<T>(path: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw diskError(error, path)
  }
}
