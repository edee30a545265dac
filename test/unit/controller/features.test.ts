import { describe, expect, test } from '@jest/globals'
import { updateFeatures } from '../../../broker/controller/update-features.ts'
import { type MetadataImage, ResourceType } from '../../../broker/metadata/image.ts'
import { errorName } from '../../../broker/protocol/errors.ts'
import type { MetadataRecord } from '../../../broker/protocol/metadata-record.ts'
import { config, feature, record, uuid } from '../metadata/records.ts'
import { after, clusterOf } from './cluster.ts'

const UPGRADE = 1
const SAFE_DOWNGRADE = 2
const UNSAFE_DOWNGRADE = 3

function controller(controllerId: number, max: number): MetadataRecord {
  const features = [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: max }]
  return record('RegisterControllerRecord', {
    controllerId,
    incarnationId: uuid(controllerId),
    zkMigrationReady: false,
    endPoints: [],
    features,
  })
}

/** Broker 1 knows metadata.version 7 to 30. */
const at = (level: number, more: readonly MetadataRecord[] = []) =>
  clusterOf([1], [], [feature('metadata.version', level), ...more])

function update(
  image: MetadataImage,
  name: string,
  level: number,
  { upgradeType = UPGRADE, voterIds = [100], validateOnly = false, quorum = (): string | null => null } = {},
) {
  const asked: { level: number; validateOnly: boolean }[] = []
  const outcome = updateFeatures(
    image,
    {
      timeoutMs: 0,
      validateOnly,
      featureUpdates: [{ feature: name, maxVersionLevel: level, allowDowngrade: false, upgradeType }],
    },
    {
      nodeId: 100,
      voterIds,
      kraftVersion: 0,
      minInSyncReplicas: 1,
      upgradeKraftVersion: (to, options) => {
        asked.push({ level: to, ...options })
        return quorum()
      },
    },
  )
  const message = outcome.response.errorMessage?.replace(/^.*had an error: /, '')
  return { image: after(image, outcome), error: errorName(outcome.response.errorCode ?? 0), message, asked }
}

describe('metadata.version', () => {
  test('goes up where everybody knows the level', () => {
    const image = at(25, [controller(100, 30), controller(101, 30)])
    expect(update(image, 'metadata.version', 30, { voterIds: [100, 101] }).image.metadataVersion).toBe(30)
  })

  test('does not where a broker does not', () => {
    const features = [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 25 }]
    const old = { brokerId: 2, incarnationId: uuid(2), brokerEpoch: 5n, endPoints: [], features, rack: null }
    const image = at(25, [record('RegisterBrokerRecord', old, 3)])
    expect(update(image, 'metadata.version', 26)).toMatchObject({
      error: 'INVALID_UPDATE_VERSION',
      message: 'Invalid update version 26 for feature metadata.version. Broker 2 only supports versions 7-25',
    })
  })

  test('does not where a controller does not, or has not told', () => {
    const image = at(25, [controller(101, 25)])
    expect(update(image, 'metadata.version', 26, { voterIds: [100, 101] }).message).toBe(
      'Invalid update version 26 for feature metadata.version. Controller 101 only supports versions 7-25',
    )
    expect(update(at(25), 'metadata.version', 26, { voterIds: [100, 102] }).message).toBe(
      'Invalid update version 26 for feature metadata.version. controller 102 has not registered, and may not support this feature',
    )
  })

  test('goes down only where nothing is lost', () => {
    expect(update(at(29), 'metadata.version', 25, { upgradeType: SAFE_DOWNGRADE }).image.metadataVersion).toBe(25)
    expect(update(at(29), 'metadata.version', 25).error).toBe('INVALID_UPDATE_VERSION')
    expect(update(at(30), 'metadata.version', 29, { upgradeType: SAFE_DOWNGRADE }).message).toBe(
      'Unsupported metadata.version downgrade from 30 to 29. Refusing to perform the requested downgrade because it might delete metadata information.',
    )
    expect(update(at(30), 'metadata.version', 29, { upgradeType: UNSAFE_DOWNGRADE }).error).toBe(
      'INVALID_UPDATE_VERSION',
    )
  })
})

describe('kraft.version', () => {
  const image = clusterOf([], [], [feature('metadata.version', 14)])

  test('is the quorum’s to change', () => {
    const done = update(image, 'kraft.version', 1)
    expect(done).toMatchObject({ error: 'NONE', asked: [{ level: 1, validateOnly: false }] })
    expect(done.image.features.has('kraft.version')).toBe(false)
  })

  test('is only asked for with validateOnly', () => {
    expect(update(image, 'kraft.version', 1, { validateOnly: true }).asked).toEqual([{ level: 1, validateOnly: true }])
  })

  test('the quorum may refuse', () => {
    const refused = update(image, 'kraft.version', 1, { quorum: () => 'Not yet.' })
    expect(refused).toMatchObject({ error: 'INVALID_UPDATE_VERSION' })
    expect(refused.message).toBe('Invalid update version 1 for feature kraft.version. Not yet.')
  })
})

test('eligible leader replicas need one minimum ISR for all brokers', () => {
  const levels = [{ name: 'eligible.leader.replicas.version', minSupportedVersion: 0, maxSupportedVersion: 1 }]
  const features = [...levels, { name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 }]
  const broker = { brokerId: 1, incarnationId: uuid(2), brokerEpoch: 5n, endPoints: [], features, rack: null }
  const more = [
    record('RegisterBrokerRecord', broker, 4),
    config(ResourceType.BROKER, '1', 'min.insync.replicas', '2'),
    feature('eligible.leader.replicas.version', 1),
    feature('eligible.leader.replicas.version', 0),
  ]
  const { image, error } = update(at(30, more), 'eligible.leader.replicas.version', 1)
  expect(error).toBe('NONE')
  expect(image.configsOf(ResourceType.BROKER, '1').size).toBe(0)
  expect(image.configsOf(ResourceType.BROKER, '').get('min.insync.replicas')).toBe('1')
})

test.each([
  [0, 'Feature no.such.version not found.'],
  [1, 'Local controller 100 does not support this feature.'],
])('a feature that there is not cannot be set to %d', (level, why) => {
  const { error, message } = update(at(30), 'no.such.version', level)
  expect([error, message]).toEqual([
    'INVALID_UPDATE_VERSION',
    `Invalid update version ${level} for feature no.such.version. ${why}`,
  ])
})
