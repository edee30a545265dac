/** What Flux and Argo CD read of the resources while they are applied from Git, changed, refused and deleted. */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { healthTool } from '../conformance/setup/setup.ts'
import { CACHE } from '../tools/cache.ts'
import { describeWith } from '../tools/requires.ts'
import { run } from '../tools/run.ts'
import { access } from './bed/kubernetes.ts'
import { ROOT } from './bed/layout.ts'
import { installOperator, kubectl, type KubeObject } from './cluster.ts'

const EXAMPLE = `${ROOT}/examples/gitops`
const NAMESPACES = ['kafka', 'team-payments']
const KINDS = { KafkaCluster: 'kafkaclusters', KafkaTopic: 'kafkatopics' } as const
const WAIT = '--timeout=300s'
/** Argo CD's word for what kstatus says. */
const ARGO: Record<string, string> = { InProgress: 'Progressing', Current: 'Healthy', Failed: 'Degraded' }

interface Verdict {
  readonly kstatus: string
  readonly argo: string
  readonly message: string
}

interface Version extends KubeObject {
  readonly kind: keyof typeof KINDS
  readonly metadata: KubeObject['metadata'] & {
    readonly namespace: string
    readonly generation: number
    readonly deletionTimestamp?: string
  }
}

/** Every version of every object of a kind, from when it is opened on. */
class Recording {
  readonly #child
  #text = ''

  private constructor(path: string, resourceVersion: string) {
    const { kubectl: program = '', kubeconfig = '' } = access() ?? {}
    const query = `watch=true&resourceVersion=${resourceVersion}`
    this.#child = spawn(program, ['--kubeconfig', kubeconfig, 'get', '--raw', `${path}?${query}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#text += text))
  }

  static async start(kind: keyof typeof KINDS): Promise<Recording> {
    const path = `/apis/kafka.ottla.dev/v1alpha1/${KINDS[kind]}`
    const { metadata } = JSON.parse(await kubectl(['get', '--raw', path])) as { metadata: { resourceVersion: string } }
    return new Recording(path, metadata.resourceVersion)
  }

  stop(): Version[] {
    this.#child.kill()
    const lines = this.#text.split('\n').slice(0, -1)
    return (
      lines
        .map((line) => JSON.parse(line) as { type: string; object: Version })
        .filter(({ type }) => type === 'ADDED' || type === 'MODIFIED')
        .map(({ object }) => object)
        // Those of other files may be on their way out.
        .filter(({ metadata }) => NAMESPACES.includes(metadata.namespace))
    )
  }
}

async function verdictsOn(versions: readonly Version[]): Promise<Verdict[]> {
  const { data } = parse(readFileSync(`${EXAMPLE}/argocd/argocd-cm.yaml`, 'utf8')) as { data: Record<string, string> }
  const script = join(CACHE, 'argocd-health.lua')
  writeFileSync(script, data['resource.customizations.health.kafka.ottla.dev_KafkaCluster'] ?? '')
  const input = versions.map((version) => `${JSON.stringify(version)}\n`).join('')
  const { stdout } = await run(await healthTool(), [script], { input, timeoutMs: 60_000 })
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Verdict)
}

describeWith(['kubernetes', 'go'], 'health as GitOps tools read it', () => {
  let versions: Version[] = []
  let verdicts: Verdict[] = []

  beforeAll(async () => {
    await Promise.all([installOperator(), healthTool()])
    await remove()
    const recordings = await Promise.all((['KafkaCluster', 'KafkaTopic'] as const).map((kind) => Recording.start(kind)))
    await kubectl(['apply', '-k', EXAMPLE])
    await kubectl(['wait', '--for=condition=Ready', '-n', 'kafka', 'kafkacluster/orders', WAIT], { timeoutMs: 310_000 })
    await kubectl(['wait', '--for=condition=Ready', '-n', 'team-payments', 'kafkatopic', '--all', WAIT])
    await patchTopic('payments', { partitions: 13 })
    await kubectl([
      'wait',
      '--for=jsonpath={.status.partitions}=13',
      '-n',
      'team-payments',
      'kafkatopic/payments',
      WAIT,
    ])
    // Kafka, not the schema, knows that there is no such policy.
    await patchTopic('refunds', { config: { 'cleanup.policy': 'forget' } })
    await kubectl(['wait', '--for=condition=Stalled', '-n', 'team-payments', 'kafkatopic/refunds', WAIT])
    await patchTopic('refunds', { config: { 'cleanup.policy': 'compact' } })
    await kubectl(['wait', '--for=condition=Ready', '-n', 'team-payments', 'kafkatopic/refunds', WAIT])
    await remove()
    versions = recordings.flatMap((recording) => recording.stop())
    verdicts = await verdictsOn(versions)
  })

  afterAll(remove)

  async function remove(): Promise<void> {
    await kubectl(['delete', '-k', EXAMPLE, '--ignore-not-found', '--timeout=180s'], { timeoutMs: 190_000 })
  }

  const patchTopic = (name: string, spec: object): Promise<string> =>
    kubectl(['patch', '-n', 'team-payments', `kafkatopic/${name}`, '--type=merge', '-p', JSON.stringify({ spec })])

  /** The verdicts on one object, one after the other, the same in a row once. */
  function history(name: string): string[] {
    const words = versions.flatMap(({ metadata }, index) =>
      metadata.name === name ? (verdicts[index]?.kstatus ?? []) : [],
    )
    return words.filter((word, index) => word !== words[index - 1])
  }

  test('a new cluster is in progress until it is ready', () => {
    expect(history('orders').slice(0, 2)).toEqual(['InProgress', 'Current'])
  })

  test('a changed topic is in progress until it is as asked for', () => {
    expect(history('payments').slice(0, 4)).toEqual(['InProgress', 'Current', 'InProgress', 'Current'])
  })

  test('a topic that Kafka refuses has failed until it is put right', () => {
    const words = history('refunds')
    expect(words).toContain('Failed')
    expect(words.slice(words.indexOf('Failed') + 1).slice(0, 2)).toEqual(['InProgress', 'Current'])
  })

  test('a topic that is deleted is on its way out until it is gone', () => {
    expect(['payments', 'refunds'].map((name) => history(name).at(-1))).toEqual(['Terminating', 'Terminating'])
  })

  test('no version is read as well before the operator has seen it', () => {
    const early = versions.filter(({ metadata, status }, index) => {
      const isUnseen = status?.['observedGeneration'] !== metadata.generation
      return isUnseen && (verdicts[index]?.kstatus === 'Current' || verdicts[index]?.argo === 'Healthy')
    })
    expect(versions.length).toBeGreaterThan(10)
    expect(early).toEqual([])
  })

  test('Argo CD reads what Flux reads', () => {
    const apart = versions.filter(({ metadata }, index) => {
      const { kstatus = '', argo } = verdicts[index] ?? {}
      return metadata.deletionTimestamp === undefined && ARGO[kstatus] !== argo
    })
    expect(apart.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([])
  })
})
