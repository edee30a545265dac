import { DiskError } from '../../broker/env/disk.ts'
import type { File } from '../../broker/env/disk.ts'
import type { DiskOperation, SimDisk } from './disk.ts'
import type { FileNode } from './disk-node.ts'

/** A file that a process has open on a simulated disk. */
export class SimFile implements File {
  readonly path: string
  readonly #disk: SimDisk
  readonly #node: FileNode
  readonly #readOnly: boolean
  readonly #process: number
  #closed = false

  constructor(disk: SimDisk, node: FileNode, path: string, readOnly: boolean, process: number) {
    this.#disk = disk
    this.#node = node
    this.path = path
    this.#readOnly = readOnly
    this.#process = process
  }

  size(): number {
    return this.#node.size
  }

  write(buffers: readonly Uint8Array[], position: number): void {
    this.#begin('write')
    if (this.#readOnly) throw new DiskError('EACCES', this.path, `${this.path} is open for reading`)
    this.#node.modifiedMs = this.#disk.nowMs()
    let at = position
    for (const buffer of buffers) {
      const room = this.#room(at + buffer.length)
      this.#node.write(buffer.subarray(0, buffer.length - room.missingBytes), at)
      if (room.missingBytes > 0) throw new DiskError('ENOSPC', this.path, `no space left: write ${this.path}`)
      at += buffer.length
    }
  }

  read(target: Uint8Array, position: number): number {
    this.#begin('read')
    if (!this.#node.isReadable(position, target.length)) {
      throw new DiskError('EIO', this.path, `EIO: i/o error, read '${this.path}'`)
    }
    return this.#node.read(target, position)
  }

  readAsync(target: Uint8Array, position: number): Promise<number> {
    return this.#disk.later(this.#process, () => this.read(target, position))
  }

  async readToSend(size: number, position: number): Promise<Uint8Array> {
    const target = new Uint8Array(size)
    return target.subarray(0, await this.readAsync(target, position))
  }

  sync(): Promise<void> {
    const sequence = this.#node.sequence
    return this.#disk.later(this.#process, () => {
      try {
        this.#begin('sync')
      } catch (error) {
        this.#node.syncFailed(sequence)
        throw error
      }
      this.#node.synced(sequence)
    })
  }

  truncate(size: number): void {
    this.#begin('truncate')
    if (this.#room(size).missingBytes > 0) throw new DiskError('ENOSPC', this.path, `no space left: ${this.path}`)
    this.#node.truncate(size)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#disk.closed(this.#process)
  }

  #begin(operation: DiskOperation): void {
    if (this.#closed) throw new DiskError('OTHER', this.path, `${this.path} is closed`)
    this.#disk.begin(operation, this.path, this.#process)
  }

  /** How many bytes do not fit when the file grows to `size`. */
  #room(size: number): { missingBytes: number } {
    const growth = size - this.#node.size
    if (growth <= 0 || this.#disk.capacityBytes >= 2 ** 40) return { missingBytes: 0 }
    return { missingBytes: Math.min(growth, Math.max(0, growth - this.#disk.space().usableBytes)) }
  }
}
