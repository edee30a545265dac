import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cached, CACHE } from './cache.ts'
import { run } from './run.ts'
import type { Command } from './server-process.ts'

const PACKAGES = ['prometheus', 'prometheus-alertmanager']

export interface MonitoringPrograms {
  readonly prometheus: string
  readonly promtool: string
  /** With these arguments. */
  readonly alertmanager: (...args: readonly string[]) => Command
}

/** Debian's Alertmanager wants its templates where it is installed: /usr/share is ours, for this process alone. */
const WITH_SHARE = 'mount --bind "$0" /usr/share && exec "$@"'

/** Debian's Prometheus and Alertmanager, unpacked and not installed: neither is to run as a service. Needs `apt` the first time. */
export async function monitoringPrograms(): Promise<MonitoringPrograms> {
  const root = await cached(join(CACHE, 'prometheus'), async (target) => {
    mkdirSync(target, { recursive: true })
    await download(target)
    for (const file of readdirSync(target)) {
      await run('dpkg-deb', ['-x', file, '.'], { cwd: target })
      rmSync(join(target, file))
    }
  })
  const program = (name: string): string => join(root, 'usr/bin', name)
  const share = join(root, 'usr/share')
  return {
    prometheus: program('prometheus'),
    promtool: program('promtool'),
    alertmanager: (...args) => ({
      program: 'unshare',
      args: ['--map-root-user', '--mount', 'sh', '-c', WITH_SHARE, share, program('prometheus-alertmanager'), ...args],
    }),
  }
}

/** Lists of packages that are too old name versions that are gone. */
async function download(target: string): Promise<void> {
  const get = ['download', ...PACKAGES]
  try {
    await run('apt-get', get, { cwd: target })
  } catch {
    await run('apt-get', ['update', '-qq'], { timeoutMs: 600_000 })
    await run('apt-get', get, { cwd: target })
  }
}
