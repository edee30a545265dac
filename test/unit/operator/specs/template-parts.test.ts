import { expect, test } from '@jest/globals'
import { differingParts, templateParts } from '../../../../operator/specs/template-parts.ts'
import type { TemplateSpec } from '../../../../operator/specs/template-parts.ts'

const SPEC: TemplateSpec = {
  nodeSelector: { disk: 'ssd' },
  serviceAccountName: 'kafka',
  initContainers: [{ name: 'format', image: 'ottla:1', args: ['--standalone'], resources: {} }],
  containers: [{ name: 'kafka', image: 'ottla:1', args: ['main'], resources: { limits: { cpu: '1' } } }],
  volumes: [
    { name: 'config', configMap: { name: 'one' } },
    { name: 'tmp', emptyDir: {} },
  ],
}
const BEFORE = templateParts({ labels: { team: 'a' } }, SPEC)

function differing(change: Partial<TemplateSpec>, metadata: object = { labels: { team: 'a' } }): string[] {
  return differingParts(BEFORE, templateParts(metadata, { ...SPEC, ...change }))
}

const [format, kafka] = [...SPEC.initContainers, ...SPEC.containers]
if (format === undefined || kafka === undefined) throw new Error('no containers')

test.each<[string, Partial<TemplateSpec>, string[]]>([
  ['the same', {}, []],
  ['resources', { containers: [{ ...kafka, resources: {} }] }, ['resources']],
  ['a toleration', { tolerations: [{ key: 'kafka' }] }, ['scheduling']],
  ['another node', { nodeSelector: { disk: 'hdd' } }, ['scheduling']],
  ['a field of the pod', { serviceAccountName: 'other' }, ['pod']],
  ['what the container runs', { containers: [{ ...kafka, args: ['other'] }] }, ['pod']],
  ['another volume', { volumes: [...SPEC.volumes, { name: 'more', emptyDir: {} }] }, ['pod']],
  ['the image', { containers: [{ ...kafka, image: 'ottla:2' }] }, []],
  [
    'the configuration',
    {
      volumes: [
        { name: 'config', configMap: { name: 'two' } },
        { name: 'tmp', emptyDir: {} },
      ],
    },
    [],
  ],
  ['how a node is formatted', { initContainers: [{ ...format, args: ['--initial-controllers', 'x'] }] }, []],
])('parts that differ are named: %s', (_, change, names) => {
  expect(differing(change)).toEqual(names)
})

test('labels and annotations are one part', () => {
  expect(differing({}, { labels: { team: 'b' } })).toEqual(['metadata'])
})

test('a pod that does not say what it is made of differs in everything', () => {
  expect(differingParts(undefined, BEFORE)).toEqual(['metadata', 'resources', 'scheduling', 'pod'])
})
