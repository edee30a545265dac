import { existsSync, rmSync } from 'node:fs'
import { run } from '../../tools/run.ts'
import { type Addresses, claimAddresses, claimedAddresses } from './addresses.ts'
import { removeCgroup } from './cgroups.ts'
import { controlPlaneReady, isControlPlaneRunning, startControlPlane, stopControlPlane } from './control-plane.ts'
import { apacheArchive, apacheRecipe, buildImages, type Images, secondArchive, secondRecipe } from './images.ts'
import type { Engine } from './kubernetes.ts'
import { program, RUN } from './layout.ts'
import { knownNodes, Node } from './node.ts'
import { isBedSetUp, setUpBed } from './setup.ts'

/** Kubernetes as processes of this machine, a node a network namespace: neither Docker nor a registry is needed, but root is. */
export const BED: Engine = {
  name: 'bed',
  kubectl: () => program('kubectl'),
  helm: () => program('helm'),
  setUp: setUpBed,
  isSetUp: () => process.getuid?.() === 0 && isBedSetUp(),
  isUp: () => isControlPlaneRunning(),
  up,
  loadApache: async () => load(await apacheArchive(), (await apacheRecipe()).reference),
  loadSecond: async (first) => load(await secondArchive(first), secondRecipe(first).reference),
  down,
}

async function up(nodes: number): Promise<Images> {
  const addresses = await claimAddresses()
  const building = buildImages()
  // Of two failures the first is told.
  building.catch(() => undefined)
  await startControlPlane(addresses)
  const { images, archives } = await building
  const all = Array.from({ length: nodes }, (_, index) => new Node(addresses, index + 1))
  await Promise.all(all.map((node) => node.start(archives, nodes)))
  await Promise.all([controlPlaneReady(addresses), ...all.map((node) => node.ready())])
  return images
}

async function load(archive: string, reference: string): Promise<string> {
  const addresses = await claimAddresses()
  await Promise.all(knownNodes(addresses).map((node) => node.load([archive])))
  return reference
}

async function down(wipe: boolean): Promise<void> {
  const addresses = claimedAddresses()
  if (addresses === null) return
  await Promise.all(knownNodes(addresses).map((node) => node.stop()))
  await stopControlPlane()
  await removeNetwork(addresses)
  removeCgroup(addresses.cgroup)
  if (wipe) rmSync(RUN, { recursive: true, force: true })
}

/** Routes over the bridge go with it. */
async function removeNetwork({ bridge }: Addresses): Promise<void> {
  if (existsSync(`/sys/class/net/${bridge}`)) await run('ip', ['link', 'delete', bridge])
}
