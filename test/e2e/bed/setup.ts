import { run } from '../../tools/run.ts'
import { prepareImages } from './images.ts'
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
  say('making the images')
  await prepareImages()
}

async function installPackages(say: (line: string) => void): Promise<void> {
  const lacking = await Promise.all(PACKAGES.map(async (name) => ((await isInstalled(name)) ? [] : [name])))
  const names = lacking.flat()
  if (names.length === 0) return
  say(`installing ${names.join(' ')}`)
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  await run('apt-get', ['update', '-qq'], { env, timeoutMs: 600_000 })
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], { env, timeoutMs: 600_000 })
}

async function isInstalled(name: string): Promise<boolean> {
  try {
    return (await run('dpkg-query', ['-W', '-f', '${db:Status-Status}', name])).stdout === 'installed'
  } catch {
    return false
  }
}
