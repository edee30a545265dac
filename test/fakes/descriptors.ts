import type { DiskOperation } from './disk.ts'

/** Whether an operation fails where too many files are open; the sync of a directory opens it. */
export function needsDescriptor(operation: DiskOperation, path: string): boolean {
  const isDirectory = !(path.split('/').at(-1) ?? '').includes('.')
  return operation === 'open' || operation === 'list' || (operation === 'sync' && isDirectory)
}
