import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from '../../tools/run.ts'
import { RUN } from './layout.ts'

/** Kubernetes of other clones that may run on this machine at the same time. */
const SLOTS = 8
const FILE = join(RUN, 'slot')

/** What a copy of the bed may use of the machine. */
export interface Addresses {
  /** A bridge of our own: the control plane listens on it, the nodes are connected to it. */
  readonly bridge: string
  /** The bridge's address: API server and DNS. */
  readonly control: string
  readonly podCidr: string
  readonly serviceCidr: string
  /** The first of `serviceCidr`, which Kubernetes gives to its API server. */
  readonly apiService: string
  /** Loopback ports. */
  readonly ports: Readonly<Record<'etcd' | 'etcdPeer' | 'controllers' | 'scheduler' | 'dnsReady', number>>
  readonly cgroup: string
  node(index: number): NodeAddresses
}

export interface NodeAddresses {
  readonly name: string
  readonly namespace: string
  /** The host's end of the node's cable. */
  readonly cable: string
  readonly address: string
  readonly podCidr: string
}

/** The addresses that this clone has, or null where it has none yet. */
export function claimedAddresses(): Addresses | null {
  return existsSync(FILE) ? addressesOf(Number(readFileSync(FILE, 'utf8'))) : null
}

/**
 * Takes addresses that no other clone uses. Creating the bridge is what claims them: of two that try, one fails. A clone keeps its
 * addresses until its state is wiped, since its certificates and its etcd hold them.
 */
export async function claimAddresses(): Promise<Addresses> {
  const claimed = claimedAddresses()
  if (claimed !== null) {
    if (!existsSync(`/sys/class/net/${claimed.bridge}`)) await addBridge(claimed)
    return claimed
  }
  for (let slot = 0; slot < SLOTS; slot++) {
    const addresses = addressesOf(slot)
    if (existsSync(`/sys/class/net/${addresses.bridge}`)) continue
    await addBridge(addresses)
    mkdirSync(dirname(FILE), { recursive: true })
    writeFileSync(FILE, String(slot))
    return addresses
  }
  throw new Error(`${SLOTS} copies of the Kubernetes for tests run already: npm run kube:down ends one`)
}

async function addBridge({ bridge, control }: Addresses): Promise<void> {
  await run('ip', ['link', 'add', bridge, 'type', 'bridge'])
  await run('ip', ['address', 'add', `${control}/24`, 'dev', bridge])
  await run('ip', ['link', 'set', bridge, 'up'])
}

function addressesOf(slot: number): Addresses {
  const port = 24_000 + slot * 10
  return {
    bridge: `ottla${slot}`,
    control: `10.245.${slot}.1`,
    podCidr: `10.246.${slot * 8}.0/21`,
    serviceCidr: `10.247.${slot}.0/24`,
    apiService: `10.247.${slot}.1`,
    ports: { etcd: port, etcdPeer: port + 1, controllers: port + 2, scheduler: port + 3, dnsReady: port + 4 },
    cgroup: `ottla${slot}`,
    node: (index) => ({
      name: `node${index}`,
      namespace: `ottla${slot}-node${index}`,
      cable: `ottla${slot}n${index}`,
      address: `10.245.${slot}.${10 + index}`,
      podCidr: `10.246.${slot * 8 + index}.0/24`,
    }),
  }
}
