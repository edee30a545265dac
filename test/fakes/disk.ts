import { DiskError } from '../../broker/env/disk.ts'
import type { Clock } from '../../broker/env/clock.ts'
import type { DirectoryEntry, Disk, DiskErrorCode, File } from '../../broker/env/disk.ts'
import { SimFile } from './disk-file.ts'
import { namesOf } from './disk-path.ts'
import { DirectoryNode, FileNode, SECTOR_BYTES } from './disk-node.ts'
import type { DiskNode } from './disk-node.ts'
import { SimRandom } from './random.ts'

export type DiskOperation =
  | 'open'
  | 'write'
  | 'read'
  | 'sync'
  | 'truncate'
  | 'rename'
  | 'remove'
  | 'list'
  | 'makeDirectory'

export interface SimDiskOptions {
  /** Bytes that fit on the disk. */
  readonly capacityBytes?: number
  /** Longest simulated fsync; 0: at once. Needs a clock. */
  readonly syncMsMax?: number
  /** Files that a process may have open. */
  readonly openFilesMax?: number
}

/**
 * A file system in memory with the durability of a real one: file content is durable after `sync`, names after `syncDirectory`.
 * `killProcess` is kill -9 (the page cache stays), `losePower` keeps of the unsynced changes what the seed says.
 * Operations of a process that is gone throw, and its promises never settle.
 */
export class SimDisk implements Disk {
  /** Returns the error that this operation shall fail with; undefined lets it pass. */
  fault: ((operation: DiskOperation, path: string) => DiskErrorCode | undefined) | undefined
  capacityBytes: number
  readonly openFilesMax: number
  /** Longest simulated fsync in ms; 0: at once. */
  syncMsMax: number
  /** How what the disk has done comes back to the process that asked: not while it is stopped. */
  enter: (callback: () => void) => void = (callback) => callback()
  /** Counts of operations, for tests that check how much I/O something takes. */
  readonly counts: Record<DiskOperation, number> = {
    open: 0,
    write: 0,
    read: 0,
    sync: 0,
    truncate: 0,
    rename: 0,
    remove: 0,
    list: 0,
    makeDirectory: 0,
  }
  readonly #random: SimRandom
  readonly #clock: Clock | undefined
  readonly #root: DirectoryNode
  #locks = new Set<string>()
  readonly #spoiled = new Set<FileNode>()
  /** The process has opened a file. */
  #isUsed = false
  #process = 0
  #openFiles = 0

  constructor(options: SimDiskOptions = {}, deps: { random?: SimRandom; clock?: Clock } = {}) {
    this.capacityBytes = options.capacityBytes ?? 2 ** 40
    this.syncMsMax = options.syncMsMax ?? 0
    this.openFilesMax = options.openFilesMax ?? 1024
    this.#random = deps.random ?? new SimRandom(1)
    this.#clock = deps.clock
    this.#root = new DirectoryNode(this.nowMs())
  }

  killProcess(): void {
    this.#process++
    this.#openFiles = 0
    if (this.#isUsed) this.#decay()
    this.#isUsed = false
    this.#locks.clear()
  }

  #decay(): void {
    for (const file of this.#spoiled) file.decay(this.#random)
    this.#spoiled.clear()
  }

  /** Which process it is that uses the disk. */
  get process(): number {
    return this.#process
  }

  losePower(): void {
    this.killProcess()
    const nodes = reachable(this.#root)
    for (const node of nodes) node.losePower(this.#random)
    for (const node of nodes) if (node.kind === 'directory') node.restoreEntries()
  }

  /** Flips bits of one stored byte. */
  corrupt(path: string, position: number, mask = 0xff): void {
    this.#file(path).corrupt(position, mask)
  }

  /** Flips bits all over one stored sector, as a bad medium does: no write, no sync notices. */
  corruptSector(path: string, sector: number): void {
    const file = this.#file(path)
    const end = Math.min(file.size, (sector + 1) * SECTOR_BYTES)
    for (let at = sector * SECTOR_BYTES; at < end; at += 1 + this.#random.below(64)) {
      file.corrupt(at, 1 + this.#random.below(255))
    }
  }

  /** One stored sector cannot be read any more; once a process that has used the disk is gone, the next one gets something else from it. */
  spoilSector(path: string, sector: number): void {
    const file = this.#file(path)
    file.spoil(sector)
    this.#spoiled.add(file)
  }

  /** All files below a directory, in the order of their creation. */
  files(directory: string): { readonly path: string; readonly size: number }[] {
    return [...this.#directory(directory).entries].flatMap(([name, node]) => {
      const path = `${directory === '/' ? '' : directory}/${name}`
      return node.kind === 'file' ? [{ path, size: node.size }] : this.files(path)
    })
  }

  usedBytes(): number {
    return sizeOf(this.#root)
  }

  open(path: string, mode: 'create' | 'open' | 'openOrCreate' | 'read'): File {
    this.begin('open', path)
    this.#isUsed = true
    this.#expectDescriptor(path)
    const { parent, name } = this.#parent(path)
    let node = parent.entries.get(name)
    if (node === undefined) {
      if (mode === 'open' || mode === 'read') throw missing(path)
      node = new FileNode(this.nowMs())
      parent.change([{ name, node }])
    } else if (mode === 'create') throw new DiskError('EEXIST', path, `${path} is there already`)
    if (node.kind !== 'file') throw new DiskError('OTHER', path, `${path} is a directory`)
    this.#openFiles++
    return new SimFile(this, node, path, mode === 'read', this.#process)
  }

  #expectDescriptor(path: string): void {
    if (this.#openFiles < this.openFilesMax) return
    throw new DiskError('EMFILE', path, `EMFILE: too many open files, open '${path}'`)
  }

  /** Files that the process has open. */
  get openFiles(): number {
    return this.#openFiles
  }

  closed(process: number): void {
    if (process === this.#process) this.#openFiles--
  }

  sizeOf(path: string): number | null {
    const node = this.#find(path)
    return node?.kind === 'file' ? node.size : null
  }

  exists(path: string): boolean {
    return this.#find(path) !== undefined
  }

  list(directory: string): DirectoryEntry[] {
    this.begin('list', directory)
    return [...this.#directory(directory).entries].map(([name, node]) => ({ name, kind: node.kind }))
  }

  makeDirectory(path: string): void {
    this.begin('makeDirectory', path)
    let directory = this.#root
    for (const name of namesOf(path)) {
      let node = directory.entries.get(name)
      if (node === undefined) {
        node = new DirectoryNode(this.nowMs())
        directory.change([{ name, node }])
      }
      if (node.kind !== 'directory') throw new DiskError('EEXIST', path, `${path} leads through a file`)
      directory = node
    }
  }

  remove(path: string): void {
    this.begin('remove', path)
    if (this.#find(path) === undefined) return
    const { parent, name } = this.#parent(path)
    parent.change([{ name, node: undefined }])
  }

  rename(from: string, to: string): void {
    this.begin('rename', from)
    const source = this.#parent(from)
    const target = this.#parent(to)
    const node = source.parent.entries.get(source.name)
    if (node === undefined) throw missing(from)
    const there = target.parent.entries.get(target.name)
    if (there?.kind === 'directory' && there.entries.size > 0) {
      throw new DiskError('ENOTEMPTY', to, `${to} is a directory that is not empty`)
    }
    const link = { name: target.name, node }
    if (source.parent === target.parent) source.parent.change([{ name: source.name, node: undefined }, link])
    else target.parent.change([link], { directory: source.parent, unlink: source.name })
  }

  readFile(path: string): Uint8Array {
    this.begin('read', path)
    const file = this.#file(path)
    const content = new Uint8Array(file.size)
    file.read(content, 0)
    return content
  }

  replaceFile(path: string, content: Uint8Array): void {
    const temporary = `${path}.tmp`
    const { parent } = this.#parent(path)
    this.remove(temporary)
    const file = this.open(temporary, 'create')
    file.write([content], 0)
    this.begin('sync', temporary)
    this.#file(temporary).synced(Infinity)
    file.close()
    this.rename(temporary, path)
    parent.synced(Infinity)
  }

  syncDirectory(path: string): void {
    this.begin('sync', path)
    this.#directory(path).synced(Infinity)
  }

  async syncDirectoryAsync(path: string): Promise<void> {
    this.begin('sync', path)
    this.#expectDescriptor(path)
    const directory = this.#directory(path)
    this.#openFiles++
    const { sequence } = directory
    const process = this.#process
    await this.later(process, () => {
      this.closed(process)
      directory.synced(sequence)
    })
  }

  modifiedMs(path: string): number {
    const node = this.#find(path)
    if (node === undefined) throw missing(path)
    return node.modifiedMs
  }

  setModifiedMs(path: string, timeMs: number): void {
    this.#file(path).modifiedMs = timeMs
  }

  space(): { totalBytes: number; usableBytes: number } {
    return { totalBytes: this.capacityBytes, usableBytes: Math.max(0, this.capacityBytes - this.usedBytes()) }
  }

  lock(path: string): { release(): void } | null {
    this.open(path, 'openOrCreate').close()
    if (this.#locks.has(path)) return null
    this.#locks.add(path)
    const holder = this.#process
    return {
      release: () => {
        if (holder === this.#process) this.#locks.delete(path)
      },
    }
  }

  /** Counts the operation and fails it where a fault is planned; `process` is that of the caller's handle. */
  begin(operation: DiskOperation, path: string, process = this.#process): void {
    if (process !== this.#process) throw new DiskError('EIO', path, 'the process that opened it is gone')
    this.counts[operation]++
    const code = this.fault?.(operation, path)
    if (code !== undefined) throw new DiskError(code, path, `${code}: ${operation} ${path}`)
  }

  /** Runs `work` after the time a device takes; never, when the process dies before. */
  later<T>(process: number, work: () => T): Promise<T> {
    const clock = this.#clock
    if (clock === undefined || this.syncMsMax === 0) {
      return Promise.resolve().then(() => (process === this.#process ? work() : new Promise<never>(() => {})))
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const done = () => {
      if (process !== this.#process) return
      try {
        const result = work()
        this.enter(() => resolve(result))
      } catch (error) {
        this.enter(() => reject(error))
      }
    }
    clock.setTimer(this.#random.fraction() * this.syncMsMax, done)
    return promise
  }

  nowMs(): number {
    return this.#clock?.wallMs() ?? 1_700_000_000_000
  }

  #find(path: string): DiskNode | undefined {
    const names = namesOf(path)
    return this.#follow(names, names.length)
  }

  #follow(names: readonly string[], count: number): DiskNode | undefined {
    let node: DiskNode | undefined = this.#root
    for (let i = 0; i < count; i++) node = node?.kind === 'directory' ? node.entries.get(names[i] ?? '') : undefined
    return node
  }

  #file(path: string): FileNode {
    const node = this.#find(path)
    if (node?.kind !== 'file') throw missing(path)
    return node
  }

  #directory(path: string): DirectoryNode {
    const node = this.#find(path)
    if (node?.kind !== 'directory') throw missing(path)
    return node
  }

  #parent(path: string): { parent: DirectoryNode; name: string } {
    const names = namesOf(path)
    const name = names.at(-1)
    if (name === undefined) throw new DiskError('OTHER', path, 'the root has no parent')
    const parent = this.#follow(names, names.length - 1)
    if (parent?.kind !== 'directory') throw missing(path)
    return { parent, name }
  }
}

function missing(path: string): DiskError {
  return new DiskError('ENOENT', path, `${path} is not there`)
}

function sizeOf(node: DiskNode): number {
  if (node.kind === 'file') return node.size
  let size = 0
  for (const child of node.entries.values()) size += sizeOf(child)
  return size
}

function reachable(root: DirectoryNode): Set<DiskNode> {
  const found = new Set<DiskNode>([root])
  for (const node of found) if (node.kind === 'directory') for (const child of node.allNodes()) found.add(child)
  return found
}
