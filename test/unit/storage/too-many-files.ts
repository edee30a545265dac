import { needsDescriptor } from '../../fakes/descriptors.ts'
import type { SimDisk } from '../../fakes/disk.ts'

/**
 * From now on `count` operations get a descriptor; then no more than these and those before them, until `disk.fault` is reset. Tells
 * whether an operation was refused.
 */
export function exhaustAfter(disk: SimDisk, count: number): () => boolean {
  let left = count
  let openFilesMax = disk.openFiles
  let isRefused = false
  disk.fault = (operation, path) => {
    if (!needsDescriptor(operation, path)) return undefined
    if (left-- > 0) openFilesMax = Math.max(openFilesMax, disk.openFiles + 1)
    if (disk.openFiles < openFilesMax) return undefined
    isRefused = true
    return 'EMFILE'
  }
  return () => isRefused
}
