import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { cached, CACHE } from './cache.ts'
import { run } from './run.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
const BUNDLES = join(CACHE, 'bundles')
/** Until then somebody may still be running one of an older state of the sources. */
const KEPT_MS = 24 * 60 * 60_000

/** The directory of the broker as the image has it, of the sources as they are: made where it is missing. */
export function brokerBundle(): Promise<string> {
  return cached(join(BUNDLES, hashOfSources()), async (target) => {
    removeOld()
    await run('npm', ['run', '-s', 'bundle', '--', `--outdir=${target}`], { cwd: ROOT })
  })
}

function hashOfSources(): string {
  const hash = createHash('sha1').update(readFileSync(join(ROOT, 'package.json')))
  for (const name of readdirSync(join(ROOT, 'broker'), { recursive: true, encoding: 'utf8' }).sort()) {
    if (name.endsWith('.ts')) hash.update(name).update(readFileSync(join(ROOT, 'broker', name)))
  }
  return hash.digest('hex').slice(0, 12)
}

function removeOld(): void {
  for (const name of readdirSync(BUNDLES)) {
    const path = join(BUNDLES, name)
    const made = statSync(path, { throwIfNoEntry: false })
    if (made !== undefined && Date.now() - made.mtimeMs > KEPT_MS) rmSync(path, { recursive: true, force: true })
  }
}
