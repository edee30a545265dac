import { dirname } from 'node:path'
import { DiskError } from '../env/disk.ts'
import type { DirectoryEntry, Disk, File } from '../env/disk.ts'
import { fs } from './builtins.ts'
import { diskError, guarded } from './disk-error.ts'
import { lockFile } from './lock.ts'
import { BufferPool } from '../lib/buffer-pool.ts'

const OPEN_FLAGS = {
  create: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL,
  open: fs.constants.O_RDWR,
  openOrCreate: fs.constants.O_RDWR | fs.constants.O_CREAT,
  read: fs.constants.O_RDONLY,
} as const

/** How far behind the last write a read is sure to find the page cache, and not to wait for the device. */
const RECENT_BYTES = 8 * 1024 * 1024

class NodeFile implements File {
  readonly path: string
  readonly #fd: number
  readonly #buffers: BufferPool
  /** Where the last write ended. */
  #writtenEnd = 0

  constructor(path: string, fd: number, buffers: BufferPool) {
    this.path = path
    this.#fd = fd
    this.#buffers = buffers
  }

  size(): number {
    return guarded(this.path, () => fs.fstatSync(this.#fd).size)
  }

  write(buffers: readonly Uint8Array[], position: number): void {
    let rest = buffers
    let at = position
    let left = totalLength(buffers)
    while (left > 0) {
      const written = this.#writeSome(rest, at)
      if (written === 0) throw new DiskError('EIO', this.path, `write to ${this.path} made no progress`)
      at += written
      left -= written
      if (left > 0) rest = skipBytes(rest, written)
    }
    this.#writtenEnd = at
  }

  #writeSome(buffers: readonly Uint8Array[], position: number): number {
    const [first] = buffers
    try {
      if (buffers.length === 1 && first !== undefined) return fs.writeSync(this.#fd, first, 0, first.length, position)
      return fs.writevSync(this.#fd, buffers, position)
    } catch (error) {
      throw diskError(error, this.path)
    }
  }

  read(target: Uint8Array, position: number): number {
    try {
      let total = 0
      while (total < target.length) {
        const count = fs.readSync(this.#fd, target, total, target.length - total, position + total)
        if (count === 0) break
        total += count
      }
      return total
    } catch (error) {
      throw diskError(error, this.path)
    }
  }

  async readAsync(target: Uint8Array, position: number): Promise<number> {
    let total = 0
    while (total < target.length) {
      const count = await this.#readSome(target, total, position + total)
      if (count === 0) break
      total += count
    }
    return total
  }

  async readToSend(size: number, position: number): Promise<Uint8Array> {
    const buffer = this.#buffers.take(size)
    const isRecent = position >= this.#writtenEnd - RECENT_BYTES && position < this.#writtenEnd
    return buffer.subarray(0, isRecent ? this.read(buffer, position) : await this.readAsync(buffer, position))
  }

  #readSome(target: Uint8Array, offset: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, target, offset, target.length - offset, position, (error, count) => {
        if (error === null) resolve(count)
        else reject(diskError(error, this.path))
      })
    })
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#fd, (error) => {
        if (error === null) resolve()
        else reject(diskError(error, this.path))
      })
    })
  }

  truncate(size: number): void {
    guarded(this.path, () => fs.ftruncateSync(this.#fd, size))
  }

  close(): void {
    guarded(this.path, () => fs.closeSync(this.#fd))
  }
}

/** The machine's file systems. */
export class NodeDisk implements Disk {
  readonly openFilesMax = openFilesMax()
  readonly #buffers: BufferPool

  /** `buffers` are those of the network that sends what `readToSend` read. */
  constructor(buffers = new BufferPool()) {
    this.#buffers = buffers
  }

  open(path: string, mode: keyof typeof OPEN_FLAGS): File {
    return new NodeFile(
      path,
      guarded(path, () => fs.openSync(path, OPEN_FLAGS[mode], 0o644)),
      this.#buffers,
    )
  }

  exists(path: string): boolean {
    // Not existsSync: what cannot be told because the disk fails would be gone.
    return this.sizeOf(path) !== null
  }

  sizeOf(path: string): number | null {
    return guarded(path, () => fs.statSync(path, { throwIfNoEntry: false })?.size ?? null)
  }

  list(directory: string): DirectoryEntry[] {
    const entries = guarded(directory, () => fs.readdirSync(directory, { withFileTypes: true }))
    return entries.map((entry) => ({
      name: entry.name,
      kind: entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : 'other',
    }))
  }

  makeDirectory(path: string): void {
    guarded(path, () => fs.mkdirSync(path, { recursive: true }))
  }

  remove(path: string): void {
    guarded(path, () => removeAll(path))
  }

  rename(from: string, to: string): void {
    guarded(from, () => fs.renameSync(from, to))
  }

  readFile(path: string): Uint8Array {
    return guarded(path, () => fs.readFileSync(path))
  }

  replaceFile(path: string, content: Uint8Array): void {
    const temporary = `${path}.tmp`
    guarded(path, () => {
      fs.writeFileSync(temporary, content, { flush: true })
      fs.renameSync(temporary, path)
    })
    this.syncDirectory(dirname(path))
  }

  syncDirectory(path: string): void {
    guarded(path, () => {
      const fd = fs.openSync(path, fs.constants.O_RDONLY)
      try {
        fs.fsyncSync(fd)
      } finally {
        fs.closeSync(fd)
      }
    })
  }

  async syncDirectoryAsync(path: string): Promise<void> {
    const fd = guarded(path, () => fs.openSync(path, fs.constants.O_RDONLY))
    try {
      await new Promise<void>((resolve, reject) => {
        fs.fsync(fd, (error) => {
          if (error === null) resolve()
          else reject(diskError(error, path))
        })
      })
    } finally {
      guarded(path, () => fs.closeSync(fd))
    }
  }

  modifiedMs(path: string): number {
    return guarded(path, () => Math.floor(fs.statSync(path).mtimeMs))
  }

  setModifiedMs(path: string, timeMs: number): void {
    guarded(path, () => fs.utimesSync(path, timeMs / 1000, timeMs / 1000))
  }

  space(path: string): { totalBytes: number; usableBytes: number } {
    const { bsize, blocks, bavail } = guarded(path, () => fs.statfsSync(path))
    return { totalBytes: blocks * bsize, usableBytes: bavail * bsize }
  }

  lock(path: string): { release(): void } | null {
    return guarded(path, () => lockFile(path))
  }
}

/** The soft limit of the process, which Node has raised to the hard one; a small one where there is no /proc to tell. */
function openFilesMax(): number {
  const limits = '/proc/self/limits'
  if (!fs.existsSync(limits)) return 1024
  const [, soft = 'unlimited'] = /^Max open files\s+(\S+)/m.exec(fs.readFileSync(limits, 'utf8')) ?? []
  return soft === 'unlimited' ? Infinity : Number(soft)
}

/** As rmSync, which does not tell the errno of what it fails with. */
function removeAll(path: string): void {
  const found = fs.lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isDirectory()) {
    fs.unlinkSync(path)
    return
  }
  for (const name of fs.readdirSync(path)) removeAll(`${path}/${name}`)
  fs.rmdirSync(path)
}

function totalLength(buffers: readonly Uint8Array[]): number {
  let total = 0
  for (const buffer of buffers) total += buffer.length
  return total
}

/** What is left of `buffers` behind their first `count` bytes. */
function skipBytes(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
  let skip = count
  const rest: Uint8Array[] = []
  for (const buffer of buffers) {
    if (skip < buffer.length) rest.push(skip === 0 ? buffer : buffer.subarray(skip))
    skip = Math.max(0, skip - buffer.length)
  }
  return rest
}
