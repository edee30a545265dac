import { join } from 'node:path'
import { unpacked } from './debian.ts'
import type { Command } from './bound-process.ts'

const PACKAGES = ['prometheus', 'prometheus-alertmanager']

export interface MonitoringPrograms {
  readonly prometheus: string
  readonly promtool: string
  /** With these arguments. */
  readonly alertmanager: (...args: readonly string[]) => Command
}

/** Debian's Alertmanager wants its templates where it is installed: /usr/share is ours, for this process alone. */
const WITH_SHARE = 'mount --bind "$0" /usr/share && exec "$@"'

/** Debian's Prometheus and Alertmanager, unpacked and not installed. Needs `apt` the first time. */
export async function monitoringPrograms(): Promise<MonitoringPrograms> {
  const root = await unpacked('prometheus', PACKAGES)
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
