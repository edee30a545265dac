/**
 * Every field of the resources set to what is right, to what is at the edge and to what is wrong, past the admission that would refuse most of
 * it, and then back: what there is in the end is what there was, and no volume has gone. `FAULTS=all` tries every change, `SEED=n` others.
 */
import { expect, test } from '@jest/globals'
import type { KafkaCluster, KafkaTopic, ResourceType } from '../../operator/api/resource.ts'
import { KAFKA_CLUSTER, KAFKA_TOPIC } from '../../operator/api/resource.ts'
import { kafkaCluster, kafkaTopic, pool } from '../fakes/operator.ts'
import { type FieldChange, fieldChanges, withChange } from './fields.ts'
import { World } from './world.ts'

/** Of all changes every so many one is tried, others with another seed. */
const STRIDE = process.env['FAULTS'] === 'all' ? 1 : 16
const SEED = Number(process.env['SEED'] ?? 0)
/** How long what is wrong stays so. */
const WRONG_MS = 20_000
const TEST_MS_MAX = 600_000
const CLUSTER = kafkaCluster({
  pools: [
    pool({ name: 'controllers', roles: ['controller'] }),
    pool({ name: 'brokers', roles: ['broker'], replicas: 3 }),
  ],
  config: { 'num.partitions': 3 },
})
const TOPIC = kafkaTopic({ replicas: 3, config: { 'retention.ms': '1000' } })

/** What leaves something behind by design: nodes leave their volumes and their ids, volumes and topics do not shrink, a renamed topic is another one. */
const LEAVES_TRACES = /^pools(\.\d+)?$|^pools\.\d+\.(name|replicas|roles|storage)|^topicName|^partitions/

async function beginning(): Promise<World> {
  const world = new World({ fault: null })
  world.api.put(KAFKA_TOPIC, TOPIC)
  // Nodes that have been restarted once: the first ones are told to begin the quorum, later ones are not.
  for (const partitions of [3, 4, 3]) {
    world.api.put(KAFKA_CLUSTER, { ...CLUSTER, spec: { ...CLUSTER.spec, config: { 'num.partitions': partitions } } })
    await world.settle()
  }
  return world
}

const nameOf = ({ path, value }: FieldChange): string => `${path.join('.')}: ${JSON.stringify(value) ?? 'left out'}`

async function changedAndBack<T extends KafkaCluster | KafkaTopic>(
  from: World,
  type: ResourceType,
  object: T,
  change: FieldChange,
): Promise<World> {
  const world = new World({ fault: null }, from)
  world.api.put(type, { ...object, spec: withChange<object>(object.spec, change) })
  await world.settle(WRONG_MS)
  world.api.put(type, object)
  await world.end()
  return world
}

test.each([
  ['kafkatopic', KAFKA_TOPIC, TOPIC],
  ['kafkacluster', KAFKA_CLUSTER, CLUSTER],
] as const)(
  '%s',
  async (crd, type, object) => {
    const from = await beginning()
    const unchanged = new World({ fault: null }, from)
    await unchanged.end()
    const wanted = unchanged.state()
    const volumes = Object.keys(wanted).filter((name) => name.startsWith('PersistentVolumeClaim'))
    const changes = fieldChanges(crd, object.spec).filter((_, index) => index % STRIDE === SEED % STRIDE)
    for (const change of changes) {
      const state = (await changedAndBack(from, type, object, change)).state()
      expect([nameOf(change), Object.keys(state)]).toEqual([nameOf(change), expect.arrayContaining(volumes)])
      if (!LEAVES_TRACES.test(change.path.join('.'))) expect([nameOf(change), state]).toEqual([nameOf(change), wanted])
    }
    process.stderr.write(`${crd}: ${changes.length} changes of fields\n`)
  },
  TEST_MS_MAX,
)
