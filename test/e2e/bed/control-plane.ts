import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../tools/run.ts'
import type { Addresses } from './addresses.ts'
import { flagList, type Flags, isRunning, startDaemon, stopDaemon, until, writeConfig } from './daemon.ts'
import { KUBECONFIG, program, RUN } from './layout.ts'
import { makeAuthority, makeCertificate, pkiFile, writeKubeconfig } from './pki.ts'

const CLIENTS = {
  admin: '/O=system:masters/CN=admin',
  'apiserver-kubelet-client': '/O=system:masters/CN=kube-apiserver-kubelet-client',
  'kube-controller-manager': '/CN=system:kube-controller-manager',
  'kube-scheduler': '/CN=system:kube-scheduler',
  'kube-proxy': '/CN=system:kube-proxy',
  addons: '/O=system:masters/CN=ottla-test-addons',
}

const STORAGE_CLASS = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: 'ottla.test/directory',
  volumeBindingMode: 'WaitForFirstConsumer',
  reclaimPolicy: 'Delete',
  allowVolumeExpansion: true,
}

/** Where pods reach DNS. */
export const DOMAIN = 'cluster.local'

/** Starts etcd, the API server, the controllers, the scheduler, DNS and the volume provisioner. */
export async function startControlPlane(addresses: Addresses): Promise<void> {
  await makeCertificates(addresses)
  startEtcd(addresses)
  startApiServer(addresses)
  await until('the API server', () => kubectl('get', '--raw', '/readyz'), { msMax: 120_000, daemon: 'kube-apiserver' })
  startControllers(addresses)
  startScheduler(addresses)
  await startDns(addresses)
  await kubectl('apply', '--server-side', '--force-conflicts', '-f', join(RUN, 'storage-class.json'))
  const volumes = join(RUN, 'volumes')
  mkdirSync(volumes, { recursive: true })
  startDaemon('provisioner', program('provisioner'), ['--kubeconfig', config('addons'), '--directory', volumes])
}

export async function stopControlPlane(): Promise<void> {
  await Promise.all(['kube-controller-manager', 'kube-scheduler', 'provisioner', 'coredns'].map(stopDaemon))
  await stopDaemon('kube-apiserver')
  await stopDaemon('etcd')
}

export function isControlPlaneRunning(): boolean {
  return isRunning('kube-apiserver')
}

/** Resolves when the controllers have made what every namespace has, and DNS knows the cluster. */
export async function controlPlaneReady(addresses: Addresses): Promise<void> {
  const account = ['--namespace', 'default', 'get', 'serviceaccount', 'default']
  await until('the controllers', () => kubectl(...account), { msMax: 60_000, daemon: 'kube-controller-manager' })
  const ready = async (): Promise<void> => {
    const { ok } = await fetch(`http://127.0.0.1:${addresses.ports.dnsReady}/ready`)
    if (!ok) throw new Error('not ready')
  }
  await until('DNS', ready, { msMax: 60_000, daemon: 'coredns' })
}

export async function kubectl(...args: string[]): Promise<string> {
  return (await run(program('kubectl'), ['--kubeconfig', KUBECONFIG, ...args])).stdout
}

async function makeCertificates({ control, apiService }: Addresses): Promise<void> {
  await makeAuthority()
  const names = [
    'localhost',
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${DOMAIN}`,
  ]
  const addresses = ['127.0.0.1', control, apiService]
  const alternatives = [...names.map((name) => `DNS:${name}`), ...addresses.map((address) => `IP:${address}`)]
  await makeCertificate('apiserver', '/CN=kube-apiserver', alternatives)
  await Promise.all(Object.entries(CLIENTS).map(([name, subject]) => makeCertificate(name, subject)))
  for (const name of Object.keys(CLIENTS)) writeKubeconfig(config(name), name, control)
  writeKubeconfig(KUBECONFIG, 'admin', control)
  writeConfig(join(RUN, 'storage-class.json'), JSON.stringify(STORAGE_CLASS))
}

function startEtcd({ ports }: Addresses): void {
  const client = `http://127.0.0.1:${ports.etcd}`
  const peer = `http://127.0.0.1:${ports.etcdPeer}`
  const flags = {
    name: 'ottla',
    'data-dir': join(RUN, 'etcd'),
    'log-level': 'warn',
    'unsafe-no-fsync': true,
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `ottla=${peer}`,
  }
  startDaemon('etcd', program('etcd'), flagList(flags))
}

function startApiServer({ control, serviceCidr, ports }: Addresses): void {
  const flags = {
    'etcd-servers': `http://127.0.0.1:${ports.etcd}`,
    // Not loopback: pods reach it by this address, and Kubernetes advertises no loopback address.
    'bind-address': control,
    'advertise-address': control,
    'secure-port': 6443,
    'service-cluster-ip-range': serviceCidr,
    'authorization-mode': 'Node,RBAC',
    'client-ca-file': pkiFile('ca.crt'),
    'tls-cert-file': pkiFile('apiserver.crt'),
    'tls-private-key-file': pkiFile('apiserver.key'),
    'service-account-issuer': `https://kubernetes.default.svc.${DOMAIN}`,
    'service-account-key-file': pkiFile('sa.pub'),
    'service-account-signing-key-file': pkiFile('sa.key'),
    'kubelet-certificate-authority': pkiFile('ca.crt'),
    'kubelet-client-certificate': pkiFile('apiserver-kubelet-client.crt'),
    'kubelet-client-key': pkiFile('apiserver-kubelet-client.key'),
    'kubelet-preferred-address-types': 'InternalIP',
    // OwnerReferencesPermissionEnforcement, as OpenShift has it: what the chart's RBAC lacks shows.
    'enable-admission-plugins': 'NodeRestriction,OwnerReferencesPermissionEnforcement',
    'allow-privileged': true,
    'enable-aggregator-routing': true,
    profiling: false,
  }
  startDaemon('kube-apiserver', program('kube-apiserver'), flagList(flags))
}

function startControllers({ ports, podCidr, serviceCidr }: Addresses): void {
  const flags = {
    ...clientFlags('kube-controller-manager', ports.controllers),
    'use-service-account-credentials': true,
    'root-ca-file': pkiFile('ca.crt'),
    'cluster-signing-cert-file': pkiFile('ca.crt'),
    'cluster-signing-key-file': pkiFile('ca.key'),
    'service-account-private-key-file': pkiFile('sa.key'),
    'service-cluster-ip-range': serviceCidr,
    'allocate-node-cidrs': false,
    'cluster-cidr': podCidr,
  }
  startDaemon('kube-controller-manager', program('kube-controller-manager'), flagList(flags))
}

function startScheduler({ ports }: Addresses): void {
  startDaemon('kube-scheduler', program('kube-scheduler'), flagList(clientFlags('kube-scheduler', ports.scheduler)))
}

function clientFlags(name: string, port: number): Flags {
  return {
    kubeconfig: config(name),
    'authentication-kubeconfig': config(name),
    'authorization-kubeconfig': config(name),
    'bind-address': '127.0.0.1',
    'secure-port': port,
    'leader-elect': false,
  }
}

async function startDns({ control, ports }: Addresses): Promise<void> {
  const file = join(RUN, 'Corefile')
  const cluster = `kubernetes ${DOMAIN} in-addr.arpa {\n    kubeconfig ${config('addons')} ottla\n    ttl 1\n  }`
  writeConfig(file, `.:53 {\n  bind ${control}\n  errors\n  ready 127.0.0.1:${ports.dnsReady}\n  ${cluster}\n}\n`)
  startDaemon('coredns', program('coredns'), ['-conf', file])
}

function config(name: string): string {
  return join(RUN, `${name}.kubeconfig`)
}
