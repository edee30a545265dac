import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../tools/run.ts'
import { apacheRecipe, type Images, type Recipe, recipes, secondRecipe } from './images.ts'
import type { Engine } from './kubernetes.ts'
import { KUBECONFIG, RUN } from './layout.ts'

const NAME = 'ottla-test'
const BASE = 'node:24-bookworm-slim'
const CREATE_MS_MAX = 10 * 60_000

/** Kubernetes in Docker: where its engine runs and kind, kubectl and helm are installed. */
export const KIND: Engine = {
  name: 'kind',
  kubectl: () => 'kubectl',
  helm: () => 'helm',
  setUp: async () => undefined,
  isSetUp: isPresent,
  isUp: () => clusters().includes(NAME),
  up,
  loadApache: async () => load(await apacheRecipe(), BASE),
  loadSecond: (first) => load(secondRecipe(first), first),
  down: async () => void (await run('kind', ['delete', 'cluster', '--name', NAME, '--kubeconfig', KUBECONFIG])),
}

function isPresent(): boolean {
  return [
    ['docker', 'info'],
    ['kind', 'version'],
    ['kubectl', 'version', '--client'],
    ['helm', 'version'],
  ].every(([command = '', ...args]) => {
    try {
      execFileSync(command, args, { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })
}

function clusters(): string[] {
  return execFileSync('kind', ['get', 'clusters'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split(
    '\n',
  )
}

async function up(nodes: number): Promise<Images> {
  const { ottla, client } = await recipes()
  if (!clusters().includes(NAME)) await create(nodes)
  await build(ottla, BASE)
  await build(client, BASE)
  await run('kind', ['load', 'docker-image', '--name', NAME, ottla.reference, client.reference], {
    timeoutMs: CREATE_MS_MAX,
  })
  return { ottla: ottla.reference, client: client.reference }
}

async function load(recipe: Recipe, base: string): Promise<string> {
  await build(recipe, base)
  await run('kind', ['load', 'docker-image', '--name', NAME, recipe.reference], { timeoutMs: CREATE_MS_MAX })
  return recipe.reference
}

async function create(nodes: number): Promise<void> {
  mkdirSync(RUN, { recursive: true })
  const config = {
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    nodes: Array.from({ length: nodes }, (_, index) => ({ role: index === 0 ? 'control-plane' : 'worker' })),
  }
  const file = join(RUN, 'kind.json')
  writeFileSync(file, JSON.stringify(config))
  const args = ['create', 'cluster', '--name', NAME, '--config', file, '--kubeconfig', KUBECONFIG, '--wait', '5m']
  await run('kind', args, { timeoutMs: CREATE_MS_MAX })
}

async function build({ reference, context }: Recipe, base: string): Promise<void> {
  const args = ['build', '--tag', reference, '--build-arg', `BASE=${base}`, context]
  await run('docker', args, { timeoutMs: CREATE_MS_MAX, env: { DOCKER_BUILDKIT: '1' } })
}
