import { DiskError } from '../../broker/env/disk.ts'
import type { Disk } from '../../broker/env/disk.ts'
import type { SimDisk } from './disk.ts'

/**
 * `disk` as the process sees it that uses it now. What is left to run of a process that is gone, such as what follows a promise, reaches the disk
 * by no name any more: it would change files of the next one.
 */
export function processDisk(disk: SimDisk): Disk {
  const { process } = disk
  return new Proxy(disk, {
    get(target, name): unknown {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        if (target.process !== process) throw new DiskError('EIO', String(args[0]), 'the process that uses it is gone')
        return Reflect.apply(value, target, args)
      }
    },
  })
}
