import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { run } from '../../tools/run.ts'
import { buildImages } from './images.ts'
import { binDirectory } from './layout.ts'
import { buildKwok, buildPrograms } from './programs.ts'

/** Debian's names. */
const PACKAGES = [
  'buildah',
  'busybox-static',
  'conntrack',
  'containerd',
  'containernetworking-plugins',
  'iproute2',
  'nftables',
  'openssl',
  'runc',
]

/** Brings everything that the bed uses. What is there stays. `say` is told what takes long. */
export async function setUpBed(say: (line: string) => void): Promise<void> {
  await installPackages(say)
  say('compiling Kubernetes (about ten minutes the first time)')
  await buildPrograms()
  say('compiling kwok (two minutes the first time)')
  await buildKwok()
  // Of what takes longest in them, the packages, the layers are there when they are built anew.
  say('making the images')
  await buildImages()
}

/** Whether there is what `setUpBed` brings, but for images: those that are missing are built when the bed comes up. */
export function isBedSetUp(): boolean {
  return existsSync(binDirectory()) && lackingPackages(PACKAGES).length === 0
}

async function installPackages(say: (line: string) => void): Promise<void> {
  const names = lackingPackages(PACKAGES)
  if (names.length === 0) return
  say(`installing ${names.join(' ')}`)
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  await run('apt-get', ['update', '-qq'], { env, timeoutMs: 600_000 })
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], { env, timeoutMs: 600_000 })
}

/** Those of `names` that Debian's package manager has not installed; all of them where there is none. */
export function lackingPackages(names: readonly string[]): string[] {
  const args = ['--show', '--showformat', '${Package} ${db:Status-Status}\n', ...names]
  const lines = (spawnSync('dpkg-query', args, { encoding: 'utf8' }).stdout ?? '').split('\n')
  return names.filter((name) => !lines.includes(`${name} installed`))
}
