import type { SimRandom } from './random.ts'

export const SECTOR_BYTES = 512

interface Change {
  readonly sequence: number
  /** `data` undefined: a truncation (or extension) to `position`. */
  readonly position: number
  readonly data: Uint8Array | undefined
}

/** Content whose tail of zeros, as preallocated files have, takes no memory. */
class Bytes {
  #buffer = new Uint8Array(0)
  /** Bytes of the buffer that were written; behind them, up to `length`, everything is zero. */
  #written = 0
  length = 0

  read(target: Uint8Array, position: number): number {
    const size = Math.max(0, Math.min(target.length, this.length - position))
    const found = this.#buffer.subarray(Math.min(position, this.#written), Math.min(position + size, this.#written))
    target.set(found)
    target.fill(0, found.length, size)
    return size
  }

  apply({ position, data }: Pick<Change, 'position' | 'data'>): void {
    if (data === undefined) {
      this.#buffer.fill(0, Math.min(position, this.#written), this.#written)
      this.#written = Math.min(position, this.#written)
      this.length = position
      return
    }
    const end = position + data.length
    this.#reserve(end)
    this.#buffer.set(data, position)
    this.#written = Math.max(this.#written, end)
    this.length = Math.max(this.length, end)
  }

  copy(other: Bytes): void {
    this.#buffer = other.#buffer.slice(0, other.#written)
    this.#written = other.#written
    this.length = other.length
  }

  flip(position: number, mask: number): void {
    if (position < this.#written) this.#buffer[position] = (this.#buffer[position] ?? 0) ^ mask
  }

  #reserve(size: number): void {
    if (size <= this.#buffer.length) return
    const larger = new Uint8Array(Math.max(size, this.#buffer.length * 2, 256))
    larger.set(this.#buffer.subarray(0, this.#written))
    this.#buffer = larger
  }
}

/** A file's bytes as its process sees them, as they are on the platter, and the changes between the two. */
export class FileNode {
  readonly kind = 'file'
  modifiedMs: number
  #live = new Bytes()
  #durable = new Bytes()
  #unsynced: Change[] = []
  #sequence = 0
  /** Sectors that cannot be read. */
  readonly #unreadable = new Set<number>()

  constructor(modifiedMs: number) {
    this.modifiedMs = modifiedMs
  }

  get size(): number {
    return this.#live.length
  }

  /** From now on reads of a sector fail, as long as it is this file's. */
  spoil(sector: number): void {
    this.#unreadable.add(sector)
  }

  isReadable(position: number, length: number): boolean {
    for (const sector of this.#unreadable) {
      if (position < (sector + 1) * SECTOR_BYTES && position + length > sector * SECTOR_BYTES) return false
    }
    return true
  }

  read(target: Uint8Array, position: number): number {
    return this.#live.read(target, position)
  }
  /** The number of the last change: what a sync that starts now makes durable. */
  get sequence(): number {
    return this.#sequence
  }

  /** Keeps a copy: `slice` of a Buffer would be none, and its writer uses the memory again. */
  write(data: Uint8Array, position: number): void {
    this.#change({ sequence: ++this.#sequence, position, data: Buffer.from(data) })
  }
  truncate(size: number): void {
    for (const sector of this.#unreadable) if (sector * SECTOR_BYTES >= size) this.#unreadable.delete(sector)
    this.#change({ sequence: ++this.#sequence, position: size, data: undefined })
  }
  #change(change: Change): void {
    this.#live.apply(change)
    this.#unsynced.push(change)
  }

  /** Makes the changes up to `sequence` durable. */
  synced(sequence: number): void {
    let count = 0
    for (const change of this.#unsynced) {
      if (change.sequence > sequence) break
      this.#durable.apply(change)
      count++
    }
    this.#unsynced.splice(0, count)
  }

  /** A failed fsync: the kernel forgets that the pages were dirty, so what they held reads well and never becomes durable. */
  syncFailed(sequence: number): void {
    this.#unsynced = this.#unsynced.filter((change) => change.sequence > sequence)
  }

  /** Power is lost: of each unsynced change all, nothing, or some sectors have reached the platter. */
  losePower(random: SimRandom): void {
    const fate = random.pick(['none', 'all', 'prefix', 'sectors'] as const)
    if (fate === 'all') for (const change of this.#unsynced) this.#durable.apply(change)
    if (fate === 'prefix') this.#keepPrefix(random)
    if (fate === 'sectors') this.#keepSectors(random)
    this.#unsynced = []
    this.#live.copy(this.#durable)
  }

  #keepPrefix(random: SimRandom): void {
    const whole = random.below(this.#unsynced.length + 1)
    for (const change of this.#unsynced.slice(0, whole)) this.#durable.apply(change)
    const torn = this.#unsynced[whole]
    if (torn?.data === undefined) return
    const end = torn.position + random.below(torn.data.length + 1)
    const kept = Math.floor(end / SECTOR_BYTES) * SECTOR_BYTES - torn.position
    if (kept > 0) this.#durable.apply({ position: torn.position, data: torn.data.subarray(0, kept) })
  }

  #keepSectors(random: SimRandom): void {
    for (const { position, data } of this.#unsynced) {
      if (data === undefined) {
        if (random.chance(0.5)) this.#durable.apply({ position, data })
        continue
      }
      for (let start = 0; start < data.length;) {
        const end = Math.min(data.length, start + SECTOR_BYTES - ((position + start) % SECTOR_BYTES))
        if (random.chance(0.5)) this.#durable.apply({ position: position + start, data: data.subarray(start, end) })
        start = end
      }
    }
    // The file's size is metadata: it may have reached the journal before the data, which then reads as zeros.
    if (random.chance(0.5) && this.#live.length > this.#durable.length) {
      this.#durable.apply({ position: this.#live.length, data: undefined })
    }
  }

  /** Of what could not be read, the disk gives something from now on. */
  decay(random: SimRandom): void {
    for (const sector of this.#unreadable) {
      for (let at = sector * SECTOR_BYTES; at < (sector + 1) * SECTOR_BYTES; at++) this.corrupt(at, random.below(256))
    }
    this.#unreadable.clear()
  }

  /** Damages what is stored, as a bad medium does: no write, no sync notices. */
  corrupt(position: number, mask: number): void {
    this.#live.flip(position, mask)
    this.#durable.flip(position, mask)
  }
}

type Link = { readonly name: string; readonly node: DiskNode | undefined }

/** A directory: names as its process sees them, as they are on the platter, and the changes between, which survive in order. */
export class DirectoryNode {
  readonly kind = 'directory'
  modifiedMs: number
  readonly entries = new Map<string, DiskNode>()
  #durable = new Map<string, DiskNode>()
  /** Each is atomic: a rename is an unlink and a link that survive together. */
  #unsynced: { readonly sequence: number; readonly apply: () => void }[] = []
  #sequence = 0
  #linkedSince = new Set<DiskNode>()

  constructor(modifiedMs: number) {
    this.modifiedMs = modifiedMs
  }

  /** Links (`node`) or unlinks (undefined) names of this directory, and of `other` where a rename crosses directories. */
  change(links: readonly Link[], other?: { directory: DirectoryNode; unlink: string }): void {
    apply(this.entries, links)
    for (const { node } of links) if (node !== undefined) this.#linkedSince.add(node)
    other?.directory.entries.delete(other.unlink)
    this.#unsynced.push({
      sequence: ++this.#sequence,
      apply: () => {
        apply(this.#durable, links)
        if (other !== undefined) other.directory.#durable.delete(other.unlink)
      },
    })
  }

  /** The number of the last change: what a sync that starts now makes durable. */
  get sequence(): number {
    return this.#sequence
  }

  /** Makes the changes up to `sequence` durable. */
  synced(sequence: number): void {
    const later = this.#unsynced.findIndex((change) => change.sequence > sequence)
    const durable = this.#unsynced.splice(0, later < 0 ? this.#unsynced.length : later)
    for (const change of durable) change.apply()
    if (later < 0) this.#forget()
  }

  #forget(): void {
    this.#unsynced = []
    this.#linkedSince.clear()
  }

  losePower(random: SimRandom): void {
    const kept = random.below(this.#unsynced.length + 1)
    for (const change of this.#unsynced.slice(0, kept)) change.apply()
    this.#forget()
  }

  /** The second half of a power loss, once every directory knows what it kept. */
  restoreEntries(): void {
    this.entries.clear()
    for (const [name, node] of this.#durable) this.entries.set(name, node)
  }

  /** What is linked now, or may be after a power loss. */
  allNodes(): Set<DiskNode> {
    return new Set([...this.entries.values(), ...this.#durable.values(), ...this.#linkedSince])
  }
}

function apply(entries: Map<string, DiskNode>, links: readonly Link[]): void {
  for (const { name, node } of links) {
    if (node === undefined) entries.delete(name)
    else entries.set(name, node)
  }
}

export type DiskNode = FileNode | DirectoryNode
