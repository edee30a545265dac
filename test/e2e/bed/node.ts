import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { run } from '../../tools/run.ts'
import type { Addresses, NodeAddresses } from './addresses.ts'
import { makeCgroup, removeCgroup } from './cgroups.ts'
import { DOMAIN, kubectl } from './control-plane.ts'
import { flagList, startDaemon, stopDaemon, until, writeConfig } from './daemon.ts'
import { PAUSE_IMAGE } from './images.ts'
import { program, RUN } from './layout.ts'
import { makeCertificate, pkiFile, writeKubeconfig } from './pki.ts'

/** Below what the cable between two network namespaces can carry, so that nothing is ever fragmented. */
const MTU = '1400'

/** A node: containerd, kubelet and kube-proxy in a network namespace and a cgroup of their own. */
export class Node {
  readonly #addresses: Addresses
  readonly #own: NodeAddresses
  readonly #index: number
  readonly #directory: string

  constructor(addresses: Addresses, index: number) {
    this.#addresses = addresses
    this.#own = addresses.node(index)
    this.#index = index
    this.#directory = join(RUN, this.#own.name)
  }

  /** Starts what is not running of it; `images` are archives that containerd is given first. */
  async start(images: readonly string[], count: number): Promise<void> {
    for (const name of ['cni', 'kubelet', 'containerd', 'pod-logs'])
      mkdirSync(join(this.#directory, name), { recursive: true })
    await this.#connect(count)
    makeCgroup(this.#cgroup, availableParallelism())
    await this.#startContainerd()
    await this.load(images)
    await this.#startKubelet()
    this.#startProxy()
  }

  async ready(): Promise<void> {
    const { name } = this.#own
    const wait = (): Promise<string> => kubectl('wait', '--for=condition=Ready', `node/${name}`, '--timeout=1s')
    await until(`node ${name}`, wait, { msMax: 90_000, daemon: `${name}-kubelet` })
  }

  /** Imports image archives that this node has not got yet. */
  async load(images: readonly string[]): Promise<void> {
    for (const image of images) {
      const loaded = join(this.#directory, `loaded-${image.replaceAll('/', '_')}`)
      if (existsSync(loaded)) continue
      await this.#ctr('images', 'import', '--snapshotter', 'overlayfs', image)
      writeFileSync(loaded, '')
    }
  }

  /** Stops the node as a machine that loses its power: its pods are killed. */
  async stop(): Promise<void> {
    const { name, namespace, cable } = this.#own
    await stopDaemon(`${name}-kubelet`)
    await stopDaemon(`${name}-kube-proxy`)
    await this.#killContainers()
    await stopDaemon(`${name}-containerd`)
    await this.#unmount()
    await run('ip', ['netns', 'delete', namespace]).catch(() => undefined)
    await run('ip', ['link', 'delete', cable]).catch(() => undefined)
    removeCgroup(this.#cgroup)
  }

  get #cgroup(): string {
    return `${this.#addresses.cgroup}/${this.#own.name}`
  }

  get #socket(): string {
    return join(this.#directory, 'containerd.sock')
  }

  async #connect(count: number): Promise<void> {
    const { namespace, cable, address, podCidr } = this.#own
    const { bridge, control, serviceCidr } = this.#addresses
    // Mounts that kubelet makes for a pod must be seen by the container.
    await run('mount', ['--make-rshared', '/'])
    const inside = (...args: string[]): Promise<unknown> => run('ip', ['-n', namespace, ...args])
    if (!existsSync(`/run/netns/${namespace}`)) {
      await run('ip', ['netns', 'add', namespace])
      const peer = ['peer', 'name', 'eth0', 'mtu', MTU, 'netns', namespace]
      await run('ip', ['link', 'add', cable, 'mtu', MTU, 'type', 'veth', ...peer])
      await run('ip', ['link', 'set', cable, 'master', bridge, 'up'])
      await inside('link', 'set', 'lo', 'up')
      await inside('address', 'add', `${address}/24`, 'dev', 'eth0')
      await inside('link', 'set', 'eth0', 'up')
      await inside('route', 'add', 'default', 'via', control)
      await run('nsenter', [`--net=/run/netns/${namespace}`, 'sysctl', '-qw', 'net.ipv4.ip_forward=1'])
    }
    // Also of a node that was there before the others.
    for (let other = 1; other <= count; other++) {
      const { address: via, podCidr: pods } = this.#addresses.node(other)
      if (other !== this.#index) await inside('route', 'replace', pods, 'via', via)
    }
    await run('ip', ['route', 'replace', podCidr, 'via', address])
    // This machine reaches Services through the first node.
    if (this.#index === 1) await run('ip', ['route', 'replace', serviceCidr, 'via', address])
  }

  async #startContainerd(): Promise<void> {
    const directory = this.#directory
    const file = join(directory, 'containerd.toml')
    writeConfig(file, containerdConfig(directory, this.#socket))
    writeConfig(join(directory, 'cni', '10-pods.conflist'), JSON.stringify(podNetwork(directory, this.#own.podCidr)))
    this.#startInside('containerd', 'containerd', ['--config', file])
    await until('containerd', () => this.#ctr('version'), { msMax: 30_000, daemon: `${this.#own.name}-containerd` })
  }

  async #startKubelet(): Promise<void> {
    const { name, address } = this.#own
    await makeCertificate(name, `/O=system:nodes/CN=system:node:${name}`, [`DNS:${name}`, `IP:${address}`])
    const file = join(this.#directory, 'kubelet.yaml')
    const kubeconfig = join(this.#directory, 'kubelet.kubeconfig')
    writeKubeconfig(kubeconfig, name, this.#addresses.control)
    writeConfig(file, JSON.stringify(this.#kubeletConfig()))
    const flags = {
      config: file,
      kubeconfig,
      'hostname-override': name,
      'node-ip': address,
      'root-dir': join(this.#directory, 'kubelet'),
      'cert-dir': join(this.#directory, 'kubelet', 'pki'),
      'node-labels': `topology.kubernetes.io/region=test,topology.kubernetes.io/zone=zone-${this.#index}`,
    }
    this.#startInside('kubelet', program('kubelet'), flagList(flags))
  }

  #kubeletConfig(): object {
    const { name, address } = this.#own
    return {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      address,
      healthzBindAddress: '127.0.0.1',
      containerRuntimeEndpoint: `unix://${this.#socket}`,
      cgroupDriver: 'cgroupfs',
      cgroupRoot: `/${this.#cgroup}`,
      failSwapOn: false,
      authentication: {
        anonymous: { enabled: false },
        webhook: { enabled: true },
        x509: { clientCAFile: pkiFile('ca.crt') },
      },
      authorization: { mode: 'Webhook' },
      tlsCertFile: pkiFile(`${name}.crt`),
      tlsPrivateKeyFile: pkiFile(`${name}.key`),
      clusterDomain: DOMAIN,
      clusterDNS: [this.#addresses.control],
      resolvConf: '',
      podLogsDir: join(this.#directory, 'pod-logs'),
      makeIPTablesUtilChains: false,
      // An image that is gone could not be pulled again.
      imageGCHighThresholdPercent: 100,
      imageGCLowThresholdPercent: 99,
      evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
      nodeStatusUpdateFrequency: '5s',
      // How late the annotations in a volume may be, for which brokers wait that need an address; a minute without it.
      syncFrequency: '10s',
    }
  }

  #startProxy(): void {
    const { name, address } = this.#own
    const file = join(this.#directory, 'kube-proxy.yaml')
    const config = {
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      kind: 'KubeProxyConfiguration',
      mode: 'nftables',
      bindAddress: address,
      hostnameOverride: name,
      clusterCIDR: this.#addresses.podCidr,
      conntrack: { maxPerCore: 0, min: 0 },
      clientConnection: { kubeconfig: join(RUN, 'kube-proxy.kubeconfig') },
    }
    writeConfig(file, JSON.stringify(config))
    this.#startInside('kube-proxy', program('kube-proxy'), [`--config=${file}`])
  }

  /** Not `ip netns exec`: that remounts /sys and hides the cgroups. */
  #startInside(daemon: string, command: string, args: readonly string[]): void {
    const { name, namespace } = this.#own
    startDaemon(`${name}-${daemon}`, 'nsenter', [`--net=/run/netns/${namespace}`, command, ...args])
  }

  async #ctr(...args: string[]): Promise<string> {
    return (await run('ctr', ['--address', this.#socket, '--namespace', 'k8s.io', ...args])).stdout
  }

  async #killContainers(): Promise<void> {
    const list = async (what: string): Promise<string[]> =>
      (await this.#ctr(what, 'list', '-q').catch(() => '')).split('\n').filter((id) => id !== '')
    const containers = await list('containers')
    const infos = await Promise.all(containers.map((id) => this.#ctr('containers', 'info', id).catch(() => '')))
    for (const id of await list('tasks')) await this.#ctr('tasks', 'rm', '--force', id).catch(() => undefined)
    for (const id of containers) await this.#ctr('containers', 'rm', id).catch(() => undefined)
    const namespaces = new Set(infos.map((info) => /\/netns\/(cni-[0-9a-f-]+)/.exec(info)?.[1]))
    for (const namespace of namespaces) {
      if (namespace !== undefined) await run('ip', ['netns', 'delete', namespace]).catch(() => undefined)
    }
  }

  async #unmount(): Promise<void> {
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
    const inner = mounts
      .filter((path) => path.startsWith(`${this.#directory}/`))
      .sort()
      .reverse()
    for (const path of inner) await run('umount', ['--lazy', path]).catch(() => undefined)
  }
}

/** The nodes that have been started and not wiped. */
export function knownNodes(addresses: Addresses): Node[] {
  const indexes = readdirSync(RUN).flatMap((name) => /^node(\d+)$/.exec(name)?.[1] ?? [])
  return indexes.map((index) => new Node(addresses, Number(index)))
}

/** Pods of a node share a range; what is not for them goes to the node. No bridge: a bridge would need br_netfilter. */
function podNetwork(directory: string, subnet: string): object {
  const ipam = {
    type: 'host-local',
    dataDir: join(directory, 'cni-ipam'),
    ranges: [[{ subnet }]],
    routes: [{ dst: '0.0.0.0/0' }],
  }
  return { cniVersion: '1.0.0', name: 'pods', plugins: [{ type: 'ptp', mtu: Number(MTU), ipMasq: false, ipam }] }
}

function containerdConfig(directory: string, socket: string): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  return `version = 2
root = "${directory}/containerd/root"
state = "${directory}/containerd/state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
[grpc]
  address = "${socket}"
[${cri}]
  sandbox_image = "${PAUSE_IMAGE}"
  # Without CAP_SYS_RESOURCE runc cannot lower the sandbox's score, and dies of it.
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
[${cri}.cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${directory}/cni"
[${cri}.containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false
`
}
