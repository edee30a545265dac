import { expect, test } from '@jest/globals'
import { POD, STATEFUL_SET } from '../../../../operator/api/resource.ts'
import type { Resource } from '../../../../operator/api/resource.ts'
import type { PodTemplate } from '../../../../operator/cluster/kubernetes.ts'
import { condition } from '../../../fakes/operator.ts'
import { ALL, notes, RollWorld } from './step-world.ts'

/** What a pull-through cache does to every image. */
function mirrored(template: PodTemplate | undefined): void {
  for (const container of template?.spec?.containers ?? []) {
    if (container.image?.startsWith('mirror/') === false) container.image = `mirror/${container.image}`
  }
}

function rewritesPods({ api }: RollWorld): void {
  const put = api.put.bind(api)
  api.put = <T extends Resource>(...[type, object]: Parameters<typeof put<T>>) => {
    const changed = structuredClone(object)
    if (type.kind === POD.kind) mirrored(changed)
    return put(type, changed)
  }
}

function rewritesStatefulSets({ api }: RollWorld): void {
  const apply = api.apply.bind(api)
  api.apply = <T extends Resource>(...[type, manifest]: Parameters<typeof apply<T>>) => {
    const changed = structuredClone(manifest)
    if (type.kind === STATEFUL_SET.kind) mirrored((changed.spec as { template: PodTemplate }).template)
    return apply(type, changed)
  }
}

test.each([
  ['of pods', rewritesPods],
  ['of StatefulSets', rewritesStatefulSets],
])('a webhook that rewrites images %s restarts nothing, and versions go on as without it', async (_, rewrites) => {
  const world = new RollWorld({ version: '4.2' })
  world.metadataVersion = 29
  rewrites(world)
  await world.settle()
  const images = world.kubelet.pods().map(({ spec }) => spec?.containers?.[0]?.image)
  expect(new Set(images)).toEqual(new Set(['mirror/ottla:2']))
  expect(world.restarted).toEqual([])
  expect(condition(world.stored, 'Ready')).toContain('True Ready')
  expect(world.stored.status?.version).toBe('4.2')
  world.change({ version: '4.3' })
  await world.settle()
  expect(world.restarted).toEqual(ALL)
  expect(notes(world)).toContain('orders-brokers-0 is restarted: image ottla:2 -> ottla:3')
  expect(world.stored.status).toMatchObject({ version: '4.3', metadataVersion: '4.3-IV0' })
})

test('pods of an operator that wrote down no image go by the one that they have', async () => {
  const world = new RollWorld()
  await world.settle()
  for (const pod of world.kubelet.pods()) {
    delete pod.metadata.annotations?.['kafka.ottla.dev/image']
    world.api.put(POD, pod)
  }
  await world.settle()
  expect(world.restarted).toEqual([])
  world.images = new Map([['4.3', 'ottla:4']])
  await world.settle()
  expect(world.restarted).toEqual(ALL)
})
