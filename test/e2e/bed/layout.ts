import { join, resolve } from 'node:path'
import { CACHE, hashOf } from '../../tools/cache.ts'

/** Everything that the Kubernetes of the tests downloads, builds and writes is below this directory. */
export const KUBE = join(CACHE, 'kube')
export const ROOT = resolve(import.meta.dirname, '..', '..', '..')
/** State of the Kubernetes that is up: certificates, etcd, volumes, pid files. `kube:down --wipe` removes it. */
export const RUN = join(KUBE, 'run')
export const LOGS = join(KUBE, 'log')
/** The administrator's. It is there while a Kubernetes is up. */
export const KUBECONFIG = join(KUBE, 'kubeconfig')

const GO = join(import.meta.dirname, 'go')
const SOURCES = ['go.mod', 'go.sum', 'main.go', 'provisioner.go', 'kubectl/main.go'].map((name) => join(GO, name))

/** Where the compiled programs are: named after their sources, so that a change is compiled. */
export function binDirectory(): string {
  return join(KUBE, 'bin', hashOf(SOURCES))
}

/** The path of a program of the bed: kubectl, helm, kubelet, … */
export function program(name: string): string {
  return join(binDirectory(), name)
}

export { GO as GO_SOURCES }
