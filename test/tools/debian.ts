import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cached, CACHE } from './cache.ts'
import { run } from './run.ts'

/** Debian's `packages` unpacked and not installed, in a directory that is named `name`: nothing of them runs as a service. Needs `apt` the first time. */
export function unpacked(name: string, packages: readonly string[]): Promise<string> {
  return cached(join(CACHE, name), async (target) => {
    mkdirSync(target, { recursive: true })
    await download(target, packages)
    for (const file of readdirSync(target)) {
      await run('dpkg-deb', ['-x', file, '.'], { cwd: target })
      rmSync(join(target, file))
    }
  })
}

/** Lists of packages that are too old name versions that are gone. */
async function download(target: string, packages: readonly string[]): Promise<void> {
  const get = ['download', ...packages]
  try {
    await run('apt-get', get, { cwd: target })
  } catch {
    await run('apt-get', ['update', '-qq'], { timeoutMs: 600_000 })
    await run('apt-get', get, { cwd: target })
  }
}
