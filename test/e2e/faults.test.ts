/**
 * The operator before a real API server through a proxy that loses one of its writes, or the answer to it; the operator dies of it, and another
 * one goes on. What there is in the end is what there is without. `FAULTS=all` loses each write, not only some.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Random } from '../../broker/env/random.ts'
import { nodeEnv } from '../../broker/host/env.ts'
import {
  CONFIG_MAP,
  KAFKA_CLUSTER,
  KAFKA_TOPIC,
  POD_DISRUPTION_BUDGET,
  SERVICE,
  SERVICE_ACCOUNT,
  STATEFUL_SET,
} from '../../operator/api/resource.ts'
import type { Manifest, Resource, ResourceType } from '../../operator/api/resource.ts'
import type { Credentials } from '../../operator/kube/credentials.ts'
import { kubeconfig } from '../../operator/kube/kubeconfig.ts'
import { KubeRest } from '../../operator/kube/rest.ts'
import { KubeTransport } from '../../operator/kube/transport.ts'
import { TestApi } from '../tools/kube-api.ts'
import { describeWith } from '../tools/requires.ts'
import { uninstallOperatorOfAll } from './cluster.ts'
import { FaultProxy, type ProxyFault } from './fault-proxy.ts'
import { podlessOperator } from './podless-operator.ts'

const IS_ALL = process.env['FAULTS'] === 'all'
/** Of all writes, how many are lost where not all are. */
const SAMPLES = 3
const QUIET_MS = 1500
const ASK_EVERY_MS = 250
const TEST_MS_MAX = IS_ALL ? 600_000 : 180_000
const KINDS = [KAFKA_CLUSTER, KAFKA_TOPIC, STATEFUL_SET, SERVICE, CONFIG_MAP, SERVICE_ACCOUNT, POD_DISRUPTION_BUDGET]

describeWith(['kubernetes'], 'the operator, its writes lost on the way to a real API server', () => {
  let test$: TestApi
  let api: KubeRest

  beforeAll(async () => {
    // Another one would look after the same resources.
    await uninstallOperatorOfAll()
    test$ = new TestApi()
    await test$.installCrds()
    api = new KubeRest({ signal: new AbortController().signal }, test$)
  })

  afterAll(async () => {
    await Promise.all(used.map((namespace) => test$.removeNamespace(namespace)))
  })

  const used: string[] = []

  /** What there is in the end, and which writes that took. */
  async function run(fault: ProxyFault | null): Promise<{ state: unknown; writes: readonly string[] }> {
    const namespace = await test$.makeNamespace('faults')
    used.push(namespace)
    await using proxy = await FaultProxy.start(kubeconfig(), fault)
    const first = operating(namespace, proxy.credentials)
    for (const [type, manifest] of resources(namespace)) await api.create(type, manifest)
    if (fault !== null) await proxy.struck
    else await settled(namespace)
    await first.stop()
    const second = operating(namespace, kubeconfig())
    await settled(namespace)
    await second.stop()
    return { state: plain(namespace, await objectsIn(namespace)), writes: proxy.writes }
  }

  async function objectsIn(namespace: string): Promise<Resource[]> {
    const lists = await Promise.all(KINDS.map((type) => api.list<Resource>(type, { namespace })))
    return lists.flatMap(({ items }) => items)
  }

  /** Resolves when nothing changes any more. */
  async function settled(namespace: string): Promise<void> {
    let [before, sinceMs] = ['', performance.now()]
    while (performance.now() - sinceMs < QUIET_MS) {
      const objects = await objectsIn(namespace)
      const now = objects.map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.resourceVersion}`).join('\n')
      const isMade = objects.some(({ kind }) => kind === STATEFUL_SET.kind)
      if (now !== before || !isMade) [before, sinceMs] = [now, performance.now()]
      await sleep(ASK_EVERY_MS)
    }
  }

  test(
    'nothing is missing, and nothing is there twice',
    async () => {
      const clean = await run(null)
      const count = clean.writes.length
      const points = Array.from({ length: count }, (_, index) => index + 1)
      const chosen = IS_ALL ? points : points.filter((at) => at % Math.ceil(count / SAMPLES) === 1)
      for (const at of chosen) {
        for (const kind of ['before', 'after'] as const) {
          const where = `${kind} ${at}: ${clean.writes[at - 1]}`
          expect([where, (await run({ at, kind })).state]).toEqual([where, clean.state])
        }
      }
      process.stderr.write(`${chosen.length} of ${count} writes to a real API server lost, before and after\n`)
    },
    TEST_MS_MAX,
  )
})

/** A cluster whose pods find no node, so that their state does not change, and a topic of it. */
function resources(namespace: string): [ResourceType, Manifest][] {
  const { apiVersion } = KAFKA_CLUSTER
  const template = { nodeSelector: { 'ottla.test/no-such-node': 'true' } }
  const pools = [{ name: 'nodes', replicas: 3, storage: { size: '1Gi' }, template }]
  const topic = { cluster: { name: 'orders' }, partitions: 3 }
  return [
    [KAFKA_CLUSTER, { apiVersion, kind: KAFKA_CLUSTER.kind, metadata: { name: 'orders', namespace }, spec: { pools } }],
    [KAFKA_TOPIC, { apiVersion, kind: KAFKA_TOPIC.kind, metadata: { name: 't', namespace }, spec: topic }],
  ]
}

/** An operator of one namespace, with nobody to talk to in Kafka. */
function operating(namespace: string, credentials: Credentials): { stop(): Promise<unknown> } {
  const stop = new AbortController()
  const { random } = nodeEnv()
  const operator = podlessOperator({
    namespace,
    lease: null,
    transport: new KubeTransport(credentials),
    // The same cluster id for all.
    random: { below: (limit) => random.below(limit), bytes: bytesOf(random) },
  })
  const running = operator.run(stop.signal)
  return {
    stop: () => {
      stop.abort(new Error('dead'))
      return running
    },
  }
}

function bytesOf(random: Random): Random['bytes'] {
  return (size) => (size === 16 ? new Uint8Array(16).fill(7) : random.bytes(size))
}

const VARYING = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'managedFields',
  'generation',
  'observedGeneration',
  'lastTransitionTime',
  'clusterIP',
  'clusterIPs',
  'currentRevision',
  'updateRevision',
])

function plain(namespace: string, objects: readonly Resource[]): unknown {
  const text = JSON.stringify(objects, (key, part: unknown) => (VARYING.has(key) ? undefined : part))
  // The name of a ConfigMap is made of what is in it, the namespace too.
  const same = text.replaceAll(namespace, 'NAMESPACE').replaceAll(/-config-[0-9a-f]+-[0-9a-f]{8}/g, '-config')
  const all = JSON.parse(same) as Resource[]
  return Object.fromEntries(
    all
      // Every namespace has them.
      .filter(({ metadata }) => !['kube-root-ca.crt', 'default'].includes(metadata.name))
      .map(({ kind, metadata, ...rest }) => [`${kind} ${metadata.name}`, { metadata, ...rest }]),
  )
}
