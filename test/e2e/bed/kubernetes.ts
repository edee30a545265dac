import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BED } from './bed.ts'
import type { Images } from './images.ts'
import { KIND } from './kind.ts'
import { KUBECONFIG, RUN } from './layout.ts'

/** A way to have a Kubernetes on this machine. */
export interface Engine {
  readonly name: string
  /** Programs, by path or name. */
  readonly kubectl: () => string
  readonly helm: () => string
  /** Downloads and builds what it needs; safe to call again. */
  readonly setUp: (say: (line: string) => void) => Promise<void>
  readonly isSetUp: () => boolean
  readonly isUp: () => boolean
  /** Starts what does not run, and brings the images of the repository as it is now. */
  readonly up: (nodes: number) => Promise<Images>
  /** Brings an image of Apache Kafka besides; resolves with its reference. */
  readonly loadApache: () => Promise<string>
  /** Brings the image `first`, which is there, a second time with another digest; resolves with its reference. */
  readonly loadSecond: (first: string) => Promise<string>
  /** Without `wipe` the state stays, and the next `up` goes on with it. */
  readonly down: (wipe: boolean) => Promise<void>
}

/** How tests reach the Kubernetes that is up. */
export interface Access {
  readonly engine: string
  readonly kubeconfig: string
  readonly kubectl: string
  readonly helm: string
  readonly images: Images
}

const FILE = join(RUN, 'access.json')

/** kind where it can be used, otherwise the bed of this repository. */
export function engine(): Engine {
  return KIND.isSetUp() ? KIND : BED
}

export async function up(nodes: number): Promise<Access> {
  const chosen = engine()
  const images = await chosen.up(nodes)
  const result = {
    engine: chosen.name,
    kubeconfig: KUBECONFIG,
    kubectl: chosen.kubectl(),
    helm: chosen.helm(),
    images,
  }
  mkdirSync(RUN, { recursive: true })
  writeFileSync(FILE, JSON.stringify(result, null, 2))
  return result
}

export async function down(wipe: boolean): Promise<void> {
  rmSync(FILE, { force: true })
  rmSync(KUBECONFIG, { force: true })
  await engine().down(wipe)
}

/** Null where no Kubernetes is up. */
export function access(): Access | null {
  return existsSync(FILE) && engine().isUp() ? (JSON.parse(readFileSync(FILE, 'utf8')) as Access) : null
}
