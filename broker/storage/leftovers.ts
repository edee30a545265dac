import type { Disk } from '../env/disk.ts'
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  offsetOf,
  segmentPath,
  SWAP_SUFFIX,
  TIME_INDEX_SUFFIX,
  TXN_INDEX_SUFFIX,
} from './names.ts'
import { scanBatches } from './scan.ts'

const SEGMENT_SUFFIXES = [LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX]

/**
 * Puts a log's directory in order after a crash: removes what was deleted or half compacted, finishes the swap of a compacted segment,
 * and removes indexes without a log. Returns the base offsets of the segments, rising.
 */
export async function clearLeftovers(directory: string, disk: Disk): Promise<number[]> {
  const names = (): string[] => disk.list(directory).map(({ name }) => name)
  const found = names()
  if (found.some(isLeftover)) await removeLeftovers(directory, names, disk)
  const left = found.some(isLeftover) ? names() : found
  const bases = left
    .map((name) => offsetOf(name, LOG_SUFFIX))
    .filter((offset) => offset !== undefined)
    .sort((a, b) => a - b)
  removeOrphans(directory, left, new Set(bases), disk)
  return bases
}

function isLeftover(name: string): boolean {
  return [DELETED_SUFFIX, CLEANED_SUFFIX, SWAP_SUFFIX, '.tmp'].some((suffix) => name.endsWith(suffix))
}

async function removeLeftovers(directory: string, names: () => string[], disk: Disk): Promise<void> {
  // A swap that began while a segment at or before it was still being cleaned has to be done again (KAFKA-6264).
  const cleaned = names().map((name) => offsetOf(name, LOG_SUFFIX + CLEANED_SUFFIX) ?? Infinity)
  const minCleaned = Math.min(...cleaned)
  for (const name of names()) {
    const isInvalidSwap = SEGMENT_SUFFIXES.some((suffix) => (offsetOf(name, suffix + SWAP_SUFFIX) ?? -1) >= minCleaned)
    const isWorthless = name.endsWith(DELETED_SUFFIX) || name.endsWith(CLEANED_SUFFIX) || name.endsWith('.tmp')
    if (isWorthless || isInvalidSwap) disk.remove(`${directory}/${name}`)
  }
  await finishSwaps(directory, names(), disk)
}

/** The compacted segments take the place of those whose offsets they cover. */
async function finishSwaps(directory: string, names: readonly string[], disk: Disk): Promise<void> {
  const swaps = names.map((name) => offsetOf(name, LOG_SUFFIX + SWAP_SUFFIX)).filter((offset) => offset !== undefined)
  for (const base of swaps) {
    const end = await nextOffset(segmentPath(directory, base, LOG_SUFFIX + SWAP_SUFFIX), base, disk)
    for (const name of names) {
      const replaced = offsetOf(name, LOG_SUFFIX)
      if (replaced === undefined || replaced < base || replaced >= end) continue
      for (const suffix of SEGMENT_SUFFIXES) disk.remove(segmentPath(directory, replaced, suffix))
    }
  }
  for (const name of names) {
    if (name.endsWith(SWAP_SUFFIX))
      disk.rename(`${directory}/${name}`, `${directory}/${name.slice(0, -SWAP_SUFFIX.length)}`)
  }
}

async function nextOffset(path: string, base: number, disk: Disk): Promise<number> {
  const file = disk.open(path, 'read')
  try {
    let next = base
    const source = { read: (target: Uint8Array, position: number) => file.readAsync(target, position) }
    await scanBatches(source, { from: 0, to: file.size() }, (view) => {
      next = view.nextOffset
      return true
    })
    return next
  } finally {
    file.close()
  }
}

function removeOrphans(directory: string, names: readonly string[], bases: ReadonlySet<number>, disk: Disk): void {
  for (const name of names) {
    for (const suffix of [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX]) {
      const base = offsetOf(name, suffix)
      if (base !== undefined && !bases.has(base)) disk.remove(`${directory}/${name}`)
    }
  }
}
