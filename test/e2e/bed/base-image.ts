import { chmodSync, copyFileSync, cpSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cached, hashOf } from '../../tools/cache.ts'
import { run } from '../../tools/run.ts'

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const PASSWD =
  'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n'
/** What else comes with the C library: native packages are linked against it. */
const LIBC = ['librt.so.1', 'libresolv.so.2', 'libutil.so.1']
const GROUP = 'root:x:0:\nnode:x:1000:\nnogroup:x:65534:\n'

/** The build context of the pause image: a process that waits. */
export function pauseFiles(path: string): Promise<string> {
  return cached(path, async (target) => {
    mkdirSync(target, { recursive: true })
    copyFileSync(await which('busybox'), join(target, 'busybox'))
    writeFileSync(
      join(target, 'Dockerfile'),
      'FROM scratch\nCOPY busybox /busybox\nENTRYPOINT ["/busybox", "sleep", "2147483647"]\n',
    )
  })
}

/**
 * The build context of a base image as the official one of Node is, as far as our Dockerfile can tell: the Node that runs this, npm,
 * the libraries that they need, a shell and its tools (busybox), the users root and node. Nothing has to be pulled for it.
 */
export function baseFiles(directory: string): Promise<string> {
  const name = `node-files-${process.version}-${hashOf([import.meta.filename])}`
  return cached(join(directory, name), async (target) => {
    const root = join(target, 'root')
    for (const path of [
      'bin',
      'etc',
      'tmp',
      'root',
      'home/node',
      'usr/bin',
      'usr/local/bin',
      'usr/local/lib/node_modules',
    ]) {
      mkdirSync(join(root, path), { recursive: true })
    }
    await addShell(root)
    await addNode(root)
    await addNpm(root)
    writeFileSync(join(root, 'etc', 'passwd'), PASSWD)
    writeFileSync(join(root, 'etc', 'group'), GROUP)
    writeFileSync(join(root, 'etc', 'nsswitch.conf'), 'hosts: files dns\n')
    chmodSync(join(root, 'tmp'), 0o1777)
    writeFileSync(join(target, 'Dockerfile'), `FROM scratch\nCOPY root /\nENV PATH=${PATH}\nCMD ["node"]\n`)
  })
}

async function addShell(root: string): Promise<void> {
  const busybox = await which('busybox')
  copyFileSync(busybox, join(root, 'bin', 'busybox'))
  const { stdout } = await run(busybox, ['--list'])
  for (const name of stdout.split('\n').filter((line) => line !== '' && line !== 'busybox')) {
    symlinkSync('busybox', join(root, 'bin', name))
  }
  symlinkSync('/bin/busybox', join(root, 'usr', 'bin', 'env'))
}

async function addNode(root: string): Promise<void> {
  copyFileSync(process.execPath, join(root, 'usr', 'local', 'bin', 'node'))
  const { stdout } = await run('ldd', [process.execPath])
  const libraries = stdout.match(/\/[^ ]+/g) ?? []
  const libc = libraries.find((path) => path.endsWith('/libc.so.6')) ?? ''
  for (const library of [...libraries, ...LIBC.map((name) => join(dirname(libc), name))]) {
    mkdirSync(join(root, dirname(library)), { recursive: true })
    copyFileSync(library, join(root, library))
  }
}

async function addNpm(root: string): Promise<void> {
  const program = process.env['npm_execpath'] ?? realpathSync(await which('npm'))
  cpSync(join(dirname(program), '..'), join(root, 'usr', 'local', 'lib', 'node_modules', 'npm'), { recursive: true })
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr', 'local', 'bin', 'npm'))
}

async function which(name: string): Promise<string> {
  return (await run('sh', ['-c', `command -v ${name}`])).stdout.trim()
}
