import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const CUT = join(import.meta.dirname, 'cut.pl')
/** Enough for the smallest journal that ext4 makes by itself, and for hours of a test's load. */
const DISK_BYTES = 512 * 2 ** 20
/**
 * `noauto_da_alloc`: a rename does not flush what it puts in place, as on most file systems; a program has to. The journal is written
 * as seldom as can be: what a program has not flushed is not saved by the clock.
 */
const MOUNT_OPTIONS = 'loop,noauto_da_alloc,commit=300'

/** Disks, one a node or several: each an ext4 file system of its own, from which the power can be cut. Needs root, perl and loop devices. */
export class PowerSupply {
  readonly #directory = mkdtempSync(join(tmpdir(), 'power-'))
  readonly #mounted = new Set<number>()

  constructor(ids: readonly number[]) {
    const removeWithParent = (): void => this.remove()
    process.once('exit', removeWithParent)
    for (const id of ids) {
      mkdirSync(this.#mountPoint(id))
      writeFileSync(this.#image(id), '')
      truncateSync(this.#image(id), DISK_BYTES)
      run('mkfs.ext4', '-q', '-F', this.#image(id))
      this.#mount(id)
      mkdirSync(this.directoryOf(id))
    }
  }

  /** Where the node keeps its data. */
  directoryOf(id: number): string {
    return join(this.#mountPoint(id), 'data')
  }

  /** Cuts them all in one moment: whatever is not on the disk now never gets there. Programs see EIO until they are ended. */
  cut(ids: readonly number[]): void {
    run('perl', CUT, ...ids.map((id) => this.#mountPoint(id)))
  }

  /** Brings the disks back as the cut left them. No program may have files open there. */
  restore(ids: readonly number[]): void {
    for (const id of ids) {
      this.#unmount(id)
      this.#mount(id)
    }
  }

  /** Leaves no room on a disk. */
  fill(id: number): void {
    // It ends with what there is.
    spawnSync('cp', ['/dev/zero', this.#ballast(id)], { stdio: 'ignore' })
  }

  free(id: number): void {
    rmSync(this.#ballast(id))
  }

  remove(): void {
    for (const id of this.#mounted) this.#unmount(id)
    rmSync(this.#directory, { recursive: true, force: true })
  }

  #mount(id: number): void {
    run('mount', '-t', 'ext4', '-o', MOUNT_OPTIONS, this.#image(id), this.#mountPoint(id))
    this.#mounted.add(id)
  }

  #unmount(id: number): void {
    run('umount', this.#mountPoint(id))
    this.#mounted.delete(id)
  }

  #image(id: number): string {
    return join(this.#directory, `${id}.img`)
  }

  #ballast(id: number): string {
    return join(this.#mountPoint(id), 'ballast')
  }

  #mountPoint(id: number): string {
    return join(this.#directory, String(id))
  }
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
