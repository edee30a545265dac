import { expect, test } from '@jest/globals'
import { ClusterView } from '../../../broker/handlers/cluster-view.ts'
import { listConfigResourcesHandler } from '../../../broker/handlers/list-config-resources.ts'
import { ResourceType } from '../../../broker/metadata/image.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { ListConfigResourcesResponse } from '../../../broker/protocol/messages/list-config-resources.ts'
import { clusterOf, topicWith } from '../controller/cluster.ts'
import { config } from '../metadata/records.ts'
import { contextOf } from './context.ts'

const { TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP } = ResourceType

/** Brokers 1, 2 and the fenced 3, a topic, and settings of a broker, a topic, two groups and client metrics. */
const IMAGE = clusterOf(
  [1, 2, 3],
  [3],
  [
    ...topicWith(9, { replicas: [1], isr: [1] }),
    config(TOPIC, 'topic-9', 'retention.ms', '1'),
    config(BROKER, '', 'log.cleaner.threads', '2'),
    config(GROUP, 'g', 'consumer.session.timeout.ms', '45000'),
    config(GROUP, 'gone', 'consumer.session.timeout.ms', '45000'),
    config(GROUP, 'gone', 'consumer.session.timeout.ms', null),
    config(CLIENT_METRICS, 'm', 'interval.ms', '1000'),
  ],
)

function listed(resourceTypes: number[], apiVersion = 1): ListConfigResourcesResponse {
  const cluster = () => new ClusterView(IMAGE, { clusterId: 'c', controllerId: 1 })
  const handler = listConfigResourcesHandler({ image: () => IMAGE, cluster })
  return handler.handle({ resourceTypes }, contextOf({ apiVersion })) as ListConfigResourcesResponse
}

test.each([
  [TOPIC, ['topic-9']],
  [BROKER, ['1', '2']],
  [BROKER_LOGGER, ['1', '2']],
  [CLIENT_METRICS, ['m']],
  [GROUP, ['g']],
])('resources of type %i', (resourceType, names) => {
  const configResources = names.map((resourceName) => ({ resourceType, resourceName }))
  expect(listed([resourceType])).toMatchObject({ errorCode: ErrorCode.NONE, configResources })
  expect(listed([resourceType, resourceType]).configResources).toHaveLength(names.length)
})

test('who names no type is told of all; version 0 knows client metrics alone', () => {
  expect(new Set(listed([]).configResources.map(({ resourceType }) => resourceType))).toEqual(
    new Set([TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP]),
  )
  expect(listed([], 0).configResources).toMatchObject([{ resourceName: 'm' }])
})

test.each([
  [64, 1],
  [GROUP, 0],
])('type %i is none of version %i', (type, apiVersion) => {
  expect(listed([type], apiVersion)).toEqual({ errorCode: ErrorCode.UNSUPPORTED_VERSION })
})
