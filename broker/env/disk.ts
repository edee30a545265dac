/** Why a disk operation failed; the names are those of errno. EMFILE, too many open files, says nothing about the disk. */
export type DiskErrorCode =
  | 'ENOENT'
  | 'EEXIST'
  | 'ENOSPC'
  | 'EIO'
  | 'EROFS'
  | 'EACCES'
  | 'ENOTEMPTY'
  | 'EMFILE'
  | 'OTHER'

/** A failed disk operation. `path` names what it was about. */
export class DiskError extends Error {
  readonly code: DiskErrorCode
  readonly path: string
  constructor(code: DiskErrorCode, path: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
    this.path = path
  }
}

export interface DirectoryEntry {
  readonly name: string
  readonly kind: 'file' | 'directory' | 'other'
}

/**
 * An open file. Offsets and sizes are in bytes. Writes and short reads are synchronous: they end in the page cache, and the
 * hop through a thread pool costs more than the copy. What waits for the device (`sync`) or may (`readAsync`) is not.
 */
export interface File {
  readonly path: string
  size(): number
  /** Writes all of `buffers`, in order, from `position`; extends the file. Throws DiskError. */
  write(buffers: readonly Uint8Array[], position: number): void
  /** Reads into `target` from `position`; returns the bytes read, fewer than asked only at the end of the file. */
  read(target: Uint8Array, position: number): number
  /** As `read`, without blocking the caller: for data that may be cold. */
  readAsync(target: Uint8Array, position: number): Promise<number>
  /**
   * As `readAsync`, up to `size` bytes, into memory of the host's for one `Connection.write` of any part of it: once that is sent,
   * the host uses the memory again. Never sent, it is garbage like any other.
   */
  readToSend(size: number, position: number): Promise<Uint8Array>
  /** fdatasync: resolves when everything written before the call is durable. */
  sync(): Promise<void>
  /** Cuts the file at `size`, or extends it with zeros up to there. */
  truncate(size: number): void
  close(): void
}

/** The file system. All paths are absolute. Every failure is a DiskError. */
export interface Disk {
  /** Files and sockets that this process may have open at the same time. */
  readonly openFilesMax: number
  /** `create` fails with EEXIST where the file is there; `open` with ENOENT where it is not; `read` opens read-only. */
  open(path: string, mode: 'create' | 'open' | 'openOrCreate' | 'read'): File
  exists(path: string): boolean
  /** Bytes of a file; null where it is not there. */
  sizeOf(path: string): number | null
  list(directory: string): DirectoryEntry[]
  makeDirectory(path: string): void
  /** Removes a file, or a directory with all it holds; nothing there is no error. */
  remove(path: string): void
  /** Atomic within one file system. Durable only after `syncDirectory` of the parent. */
  rename(from: string, to: string): void
  readFile(path: string): Uint8Array
  /** Replaces the file in one step: temporary file, fsync, rename, directory fsync. Durable on return. */
  replaceFile(path: string, content: Uint8Array): void
  /** fsync of a directory, so that creations, renames and removals in it are durable. */
  syncDirectory(path: string): void
  /** As `syncDirectory`, without blocking the caller; covers what was there at the call. */
  syncDirectoryAsync(path: string): Promise<void>
  /** Modification time in ms since the epoch. */
  modifiedMs(path: string): number
  setModifiedMs(path: string, timeMs: number): void
  /** Total and usable bytes of the file system that holds `path`. */
  space(path: string): { totalBytes: number; usableBytes: number }
  /** Takes an exclusive lock on the file `path` (created when missing) until `release`; null where another process has it. */
  lock(path: string): { release(): void } | null
}
