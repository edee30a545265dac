import { BatchView, HEADER_BYTES, MAGIC } from '../../broker/records/batch.ts'
import { isFramed } from '../../broker/storage/scan.ts'
import type { SimDisk } from '../fakes/disk.ts'
import { SECTOR_BYTES } from '../fakes/disk-node.ts'
import type { SimRandom } from '../fakes/random.ts'

interface StoredBatch {
  readonly path: string
  readonly start: number
  readonly end: number
  readonly baseOffset: number
}

/** The batches that the files of a log have, in order, up to what is torn in each. */
function storedBatches(disk: SimDisk, directory: string): StoredBatch[] {
  const paths = disk.files(directory).map(({ path }) => path)
  return paths
    .filter((path) => path.endsWith('.log'))
    .toSorted()
    .flatMap((path) => batchesIn(path, disk.readFile(path)))
}

function batchesIn(path: string, bytes: Uint8Array): StoredBatch[] {
  const found: StoredBatch[] = []
  const view = new BatchView(bytes)
  for (let start = 0; start + HEADER_BYTES <= bytes.length;) {
    if (!isFramed(view.at(start), bytes.length - start)) break
    const end = start + view.sizeInBytes
    found.push({ path, start, end, baseOffset: view.baseOffset })
    start = end
  }
  return found
}

/**
 * Damages something that a log that is closed has stored: a sector of its batches, or what is outside of the CRC in one of them, or a sector of its
 * other files. Up to the offset that it gives the log is sound. After a crash nothing tells where a log ended: the last batches are left alone
 * there, since with a wrong offset they are as good; so is one whose wrong offset lies in a gap.
 */
export function damage(
  disk: SimDisk,
  directory: string,
  random: SimRandom,
  of: { readonly hasCrashed: boolean; readonly hasGaps: boolean },
): number {
  const { hasCrashed, hasGaps } = of
  const stored = storedBatches(disk, directory)
  const count = hasCrashed ? stored.length - 2 : stored.length
  const index = random.below(Math.max(1, count))
  const batch = count > 0 ? stored[index] : undefined
  if (batch === undefined || random.chance(0.3)) {
    const others = disk.files(directory).filter(({ path, size }) => !path.endsWith('.log') && size > 0)
    if (others.length > 0) damageSector(disk, random.pick(others), random)
    return Infinity
  }
  const { path, start } = batch
  if (!hasGaps && random.chance(0.5)) {
    disk.corrupt(path, start + random.below(MAGIC + 1), 1 << random.below(8))
    return soundUpTo(stored, index)
  }
  const sector = Math.floor(start / SECTOR_BYTES)
  const last = stored.at(-1)
  const reachesEnd = last?.path === path && last.start < (sector + 1) * SECTOR_BYTES
  if (hasCrashed && reachesEnd) return Infinity
  disk.corruptSector(path, sector)
  return soundUpTo(
    stored,
    stored.findIndex((other) => other.path === path && other.end > sector * SECTOR_BYTES),
  )
}

/** The last sector of a log goes bad. */
export function damageEnd(disk: SimDisk, directory: string): void {
  const segments = disk.files(directory).filter(({ path, size }) => path.endsWith('.log') && size > 0)
  const last = segments.toSorted((a, b) => (a.path < b.path ? -1 : 1)).at(-1)
  if (last !== undefined) disk.corruptSector(last.path, Math.ceil(last.size / SECTOR_BYTES) - 1)
}

/** The one before the damage is not vouched for: behind a gap it counts with the one behind it. */
function soundUpTo(stored: readonly StoredBatch[], index: number): number {
  return stored[index - 1]?.baseOffset ?? 0
}

function damageSector(disk: SimDisk, { path, size }: { path: string; size: number }, random: SimRandom): void {
  disk.corruptSector(path, random.below(Math.ceil(size / SECTOR_BYTES)))
}
