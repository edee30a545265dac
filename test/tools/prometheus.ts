import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cached, CACHE } from './cache.ts'
import { run } from './run.ts'

const PACKAGES = ['prometheus', 'prometheus-alertmanager']

export interface MonitoringPrograms {
  readonly prometheus: string
  readonly promtool: string
  readonly alertmanager: string
}

/** Debian's Prometheus and Alertmanager, unpacked and not installed: neither is to run as a service. Needs `apt` the first time. */
export async function monitoringPrograms(): Promise<MonitoringPrograms> {
  const root = await cached(join(CACHE, 'prometheus'), async (target) => {
    mkdirSync(target, { recursive: true })
    await download(target)
    for (const file of readdirSync(target)) {
      await run('dpkg-deb', ['-x', file, '.'], { cwd: target })
      rmSync(join(target, file))
    }
    rmSync(join(target, 'usr/share'), { recursive: true, force: true })
  })
  const program = (name: string): string => join(root, 'usr/bin', name)
  return {
    prometheus: program('prometheus'),
    promtool: program('promtool'),
    alertmanager: program('prometheus-alertmanager'),
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
