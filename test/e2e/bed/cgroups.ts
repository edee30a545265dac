import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const MOUNT = '/sys/fs/cgroup'
/** Of a processor: ten times what a process has that is in no cgroup. The control plane has machines of its own elsewhere. */
const SHARES = { 'cpu.shares': 10_240, 'cpu.weight': 1000 }

/**
 * Makes the cgroup `path`, which is relative, in every hierarchy there is: a machine of so many `processors` in what holds all machines. It weighs as
 * much as they do, and what holds it as much as all in it: by default the pods of all nodes would together get what one thread of etcd gets.
 */
export function makeCgroup(path: string, processors: number): void {
  makeDirectories(path)
  for (const [file, one] of Object.entries(SHARES)) {
    for (const hierarchy of hierarchies()) {
      const own = join(hierarchy, path)
      if (!existsSync(join(own, file))) continue
      writeFileSync(join(own, file), String(one * processors))
      writeFileSync(join(own, '..', file), String(sumOf(join(own, '..'), file)))
    }
  }
}

function sumOf(parent: string, file: string): number {
  const children = readdirSync(parent, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return children.reduce((sum, { name }) => sum + Number(readFileSync(join(parent, name, file), 'utf8')), 0)
}

function makeDirectories(path: string): void {
  for (const hierarchy of hierarchies()) {
    let parent = hierarchy
    for (const name of path.split('/')) {
      const child = join(parent, name)
      delegate(parent)
      try {
        mkdirSync(child, { recursive: true })
      } catch {
        break // A hierarchy that this machine does not let us use.
      }
      inheritSets(parent, child)
      parent = child
    }
  }
}

/** Removes the cgroup `path` and those below it; what still has processes stays. */
export function removeCgroup(path: string): void {
  for (const hierarchy of hierarchies()) removeTree(join(hierarchy, path))
}

/** One of version 2, or one a controller of version 1. */
function hierarchies(): string[] {
  if (existsSync(join(MOUNT, 'cgroup.controllers'))) return [MOUNT]
  return readdirSync(MOUNT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(MOUNT, name))
}

/** Version 2: children have the controllers that their parent hands on. */
function delegate(parent: string): void {
  const available = join(parent, 'cgroup.controllers')
  if (!existsSync(available)) return
  const names = readFileSync(available, 'utf8').trim().split(' ')
  for (const name of names) {
    try {
      writeFileSync(join(parent, 'cgroup.subtree_control'), `+${name}`)
    } catch {
      // Not every controller can be handed on.
    }
  }
}

/** Version 1: a new cpuset is empty, and nothing can run in it. */
function inheritSets(parent: string, child: string): void {
  for (const name of ['cpuset.cpus', 'cpuset.mems']) {
    const file = join(child, name)
    if (!existsSync(file) || existsSync(join(child, 'cgroup.controllers'))) continue
    if (readFileSync(file, 'utf8').trim() === '') writeFileSync(file, readFileSync(join(parent, name), 'utf8'))
  }
}

function removeTree(directory: string): void {
  if (!existsSync(directory)) return
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(directory, entry.name))
  }
  try {
    rmdirSync(directory)
  } catch {
    // In use.
  }
}
