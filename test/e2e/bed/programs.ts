import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from '../../tools/cache.ts'
import { run } from '../../tools/run.ts'
import { binDirectory, GO_SOURCES, KUBE } from './layout.ts'

const KUBERNETES = '1.34.4'
const HELM = '3.19.0'
const KWOK = '0.7.0'
const LINKS = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'coredns',
  'provisioner',
]
const BUILD_MS_MAX = 40 * 60_000
const GO_ENVIRONMENT = { CGO_ENABLED: '0', GOTOOLCHAIN: 'local' }

/** Compiles Kubernetes and Helm from the Go module proxy, where that has not been done yet: about ten minutes on two cores. */
export async function buildPrograms(): Promise<void> {
  await cached(binDirectory(), async (target) => {
    mkdirSync(target, { recursive: true })
    await goBuild(join(target, 'kubebed'), '.', kubernetesVersion())
    await goBuild(join(target, 'kubectl'), './kubectl', kubernetesVersion())
    const helm = [`-X helm.sh/helm/v3/internal/version.version=v${HELM}`]
    await goBuild(join(target, 'helm'), 'helm.sh/helm/v3/cmd/helm', helm)
    for (const link of LINKS) symlinkSync('kubebed', join(target, link))
  })
}

/**
 * Compiles kwok, which plays the kubelets of test/scale, where that has not been done yet; resolves with its path. It has a go.mod of its own: its
 * libraries are of another Kubernetes than the bed's.
 */
export async function buildKwok(): Promise<string> {
  const directory = await cached(join(KUBE, 'bin', `kwok-${KWOK}`), async (target) => {
    const env = { ...GO_ENVIRONMENT, GOBIN: target }
    await run('go', ['install', '-trimpath', `sigs.k8s.io/kwok/cmd/kwok@v${KWOK}`], { env, timeoutMs: BUILD_MS_MAX })
  })
  return join(directory, 'kwok')
}

/** Without it the programs say that they are version 0.0.0, and refuse to work with each other. */
function kubernetesVersion(): string[] {
  const [major, minor] = KUBERNETES.split('.')
  const values = {
    gitVersion: `v${KUBERNETES}`,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    gitCommit: '0'.repeat(40),
    buildDate: '2026-01-01T00:00:00Z',
  }
  return ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((path) =>
    Object.entries(values).map(([key, value]) => `-X ${path}.${key}=${value}`),
  )
}

async function goBuild(target: string, path: string, flags: readonly string[]): Promise<void> {
  const args = [
    'build',
    '-trimpath',
    '-buildvcs=false',
    '-ldflags',
    ['-s', '-w', ...flags].join(' '),
    '-o',
    target,
    path,
  ]
  await run('go', args, { cwd: GO_SOURCES, env: GO_ENVIRONMENT, timeoutMs: BUILD_MS_MAX })
}
