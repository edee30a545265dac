import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { franzGo } from '../../conformance/setup/setup.ts'
import { cached } from '../../tools/cache.ts'
import { run } from '../../tools/run.ts'
import { apacheFiles } from './apache-image.ts'
import { baseFiles, pauseFiles } from './base-image.ts'
import { KUBE, ROOT } from './layout.ts'

const IMAGES = join(KUBE, 'images')
const REGISTRY = 'ottla.test'
/** What of the repository is in the image, and how it gets there. */
const CONTENT = [
  'test/e2e/bed/base-image.ts',
  'Dockerfile',
  '.dockerignore',
  'package.json',
  'package-lock.json',
  '.npmrc',
  'crds',
  'broker',
  'operator',
]
const CLIENT = join(ROOT, 'test', 'e2e', 'client')
const FRANZ_GO = join(ROOT, 'test', 'conformance', 'clients', 'franz-go')
const KAFKAJS = join(ROOT, 'node_modules', 'kafkajs')
/** Behind the tag of an image: the one that differs from it in nothing but its digest. */
const SECOND = '-second'
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt'

/** The first container of every pod. */
export const PAUSE_IMAGE = `${REGISTRY}/pause:1`

/** Image references. */
export interface Images {
  /** Of the repository as it is: the tag names its content. */
  readonly ottla: string
  readonly client: string
}

export interface Recipe {
  readonly reference: string
  readonly context: string
}

/** How the image of this repository, and that of the client, are built. The context of the client is put together here. */
export async function recipes(): Promise<{ ottla: Recipe; client: Recipe }> {
  const ottla = `${REGISTRY}/ottla:${contentHash(CONTENT.map((name) => join(ROOT, name)))}`
  const client = `${REGISTRY}/client:${contentHash([CLIENT, FRANZ_GO, KAFKAJS, join(import.meta.dirname, 'base-image.ts')])}`
  return {
    ottla: { reference: ottla, context: ROOT },
    client: { reference: client, context: await clientContext() },
  }
}

/**
 * Builds the images that are not there yet, from their Dockerfiles: those of the repository as it is, and that of the pause container. Resolves with
 * archives that containerd imports.
 */
export async function buildImages(): Promise<{ images: Images; archives: string[] }> {
  const { ottla, client } = await recipes()
  const base = await baseImage()
  const archives = [
    await archive({ reference: PAUSE_IMAGE, context: await pauseFiles(join(IMAGES, 'pause-files')) }, 'pause'),
    await archive(ottla, fileOf(ottla.reference), base),
    await archive(client, fileOf(client.reference), base),
  ]
  removeOthers(archives)
  return { images: { ottla: ottla.reference, client: client.reference }, archives }
}

/** How an image of Apache Kafka is built, from its jars. Needs `java`, and `mvn` the first time. */
export async function apacheRecipe(): Promise<Recipe> {
  const context = await apacheFiles(IMAGES)
  return { reference: `${REGISTRY}/kafka:${basename(context).slice('kafka-files-'.length)}`, context }
}

/** Resolves with an archive that containerd imports. */
export async function apacheArchive(): Promise<string> {
  const recipe = await apacheRecipe()
  return archive(recipe, fileOf(recipe.reference), await baseImage())
}

/** The image `first` once more, with another digest: what clusters are upgraded from or to. It is built upon that one. */
export function secondRecipe(first: string): Recipe {
  const context = join(IMAGES, 'second-files')
  mkdirSync(context, { recursive: true })
  writeFileSync(join(context, 'Dockerfile'), 'ARG BASE\nFROM ${BASE}\nLABEL ottla.test/image=second\n')
  return { reference: `${first}${SECOND}`, context }
}

/** Resolves with an archive that containerd imports. */
export function secondArchive(first: string): Promise<string> {
  const recipe = secondRecipe(first)
  return archive(recipe, fileOf(recipe.reference), first)
}

/** The image `node:24-bookworm-slim`, as far as the Dockerfile uses it, from the Node of this package. */
async function baseImage(): Promise<string> {
  const files = await baseFiles(IMAGES)
  const reference = `${REGISTRY}/node:${basename(files).slice('node-files-'.length)}`
  const isThere = await buildah('inspect', '--type', 'image', reference).then(
    () => true,
    () => false,
  )
  if (!isThere) await build({ reference, context: files })
  return reference
}

function archive(recipe: Recipe, name: string, base?: string): Promise<string> {
  return cached(join(IMAGES, `${name}.tar`), async (target) => {
    await build(recipe, base)
    await buildah('push', recipe.reference, `docker-archive:${target}:${recipe.reference}`)
  })
}

/** Performs a Dockerfile. Its commands see this machine's npm settings, certificates and npm cache, which stay out of the image. */
async function build({ reference, context }: Recipe, base?: string): Promise<void> {
  const mounts = base === undefined ? [] : await npmMounts()
  const options = ['--layers', '--isolation', 'chroot', '--network', 'host', '--format', 'docker', '--tag', reference]
  if (base !== undefined) options.push('--build-arg', `BASE=${base}`)
  for (const mount of mounts) options.push('--volume', mount)
  await buildah('build', ...options, context)
}

async function npmMounts(): Promise<string[]> {
  const npm = async (key: string): Promise<string> => (await run('npm', ['config', 'get', key])).stdout.trim()
  const cache = await npm('cache')
  mkdirSync(cache, { recursive: true })
  const lines = [`registry=${await npm('registry')}`, 'prefer-offline=true']
  const mounts = [`${cache}:/root/.npm`, `${join(IMAGES, 'npmrc')}:/usr/local/etc/npmrc:ro`]
  if (existsSync(AUTHORITIES)) {
    lines.push(`cafile=${AUTHORITIES}`)
    mounts.push(`${AUTHORITIES}:${AUTHORITIES}:ro`)
  }
  writeFileSync(join(IMAGES, 'npmrc'), `${lines.join('\n')}\n`)
  return mounts
}

async function buildah(...args: string[]): Promise<string> {
  const storage = ['--root', join(IMAGES, 'storage'), '--runroot', join(IMAGES, 'storage-run')]
  return (await run('buildah', [...storage, '--storage-driver', 'overlay', ...args], { timeoutMs: 600_000 })).stdout
}

async function clientContext(): Promise<string> {
  const context = join(IMAGES, 'client-files')
  rmSync(context, { recursive: true, force: true })
  cpSync(CLIENT, context, { recursive: true })
  cpSync(await franzGo(), join(context, 'franz-go'))
  cpSync(KAFKAJS, join(context, 'node_modules', 'kafkajs'), { recursive: true })
  return context
}

function fileOf(reference: string): string {
  return reference.slice(REGISTRY.length + 1).replace(':', '-')
}

/** An image of an older state of the repository is of no use to anybody. */
function removeOthers(archives: readonly string[]): void {
  for (const name of readdirSync(IMAGES)) {
    const path = join(IMAGES, name)
    const first = path.replace(`${SECOND}.tar`, '.tar')
    if (name.endsWith('.tar') && !name.startsWith('kafka-') && !archives.includes(first)) rmSync(path)
  }
}

/** Names the content of files and directories, and what else there is to say. */
export function contentHash(paths: readonly string[], more: readonly string[] = []): string {
  const hash = createHash('sha256').update(more.join('\0'))
  const add = (path: string): void => {
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).sort()) add(join(path, name))
    } else hash.update(`${path.slice(ROOT.length)}\0`).update(readFileSync(path))
  }
  for (const path of paths) add(path)
  return hash.digest('hex').slice(0, 12)
}
