import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { cached, CACHE, hashOf } from '../../tools/cache.ts'
import { missing, type Tool } from '../../tools/requires.ts'
import { run } from '../../tools/run.ts'

const CLIENTS = resolve(import.meta.dirname, '..', 'clients')

/** The Python interpreter of an environment that has confluent-kafka. Needs `python3` the first time. */
export async function pythonWithClient(): Promise<string> {
  const requirements = join(CLIENTS, 'python', 'requirements.txt')
  const done = await cached(join(CACHE, `python-${hashOf([requirements])}`, 'requirements.txt'), async (target) => {
    const environment = resolve(target, '..')
    await run('python3', ['-m', 'venv', environment])
    await run(join(environment, 'bin', 'pip'), ['install', '-q', '-r', requirements], { timeoutMs: 600_000 })
    copyFileSync(requirements, target)
  })
  return join(resolve(done, '..'), 'bin', 'python')
}

/** The franz-go client, built. Needs `go` the first time. */
export function franzGo(): Promise<string> {
  return goProgram('franz-go', join(CLIENTS, 'franz-go'), ['main.go', 'load.go', 'write.go', 'steal.go'])
}

/** What GitOps tools make of a resource's status, built. Needs `go` the first time. */
export function healthTool(): Promise<string> {
  return goProgram('gitops-health', resolve(CLIENTS, '..', 'gitops', 'health'), ['main.go'])
}

function goProgram(name: string, source: string, files: readonly string[]): Promise<string> {
  const inputs = [...files, 'go.mod', 'go.sum'].map((file) => join(source, file))
  return cached(join(CACHE, 'bin', `${name}-${hashOf(inputs)}`), async (target) => {
    mkdirSync(join(CACHE, 'bin'), { recursive: true })
    // It also goes into an image without a C library.
    await run('go', ['build', '-o', target, '.'], { cwd: source, timeoutMs: 600_000, env: { CGO_ENABLED: '0' } })
  })
}

/** What the tests use of Debian's packages. `npm test` brings them before anything runs: two at a time cannot install. */
export const DEBIAN_TOOLS = ['kcat', 'chromium'] as const satisfies readonly Tool[]

/** Installs what is missing of `tools`, which Debian has under the same names, where that can be done without asking: as root on a Debian. */
export function installPackages(tools: readonly Tool[]): void {
  const lacking = missing(tools)
  if (lacking.length === 0 || missing(['root']).length > 0) return
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  try {
    execFileSync('apt-get', ['update', '-q'], { env, stdio: 'ignore' })
    execFileSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...lacking], { env, stdio: 'ignore' })
  } catch {
    // `requires` tells what is missing, and how to get it.
  }
}
