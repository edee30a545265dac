import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { AdminClient } from './admin-client.ts'
import { KafkaError } from './kafka-error.ts'

/** Levels of one feature (KIP-584): what the broker that was asked has, and what the cluster has finalized; 0: none. */
export interface FeatureLevels {
  readonly min: number
  readonly max: number
  readonly finalized: number
}

/** How far a level may change (KIP-584): up; down without loss of metadata; down with it. */
const UPGRADE_TYPES = { upgrade: 1, 'safe-downgrade': 2, 'unsafe-downgrade': 3 } as const

/** The features that any broker knows, by name. Rejects with KafkaError. */
export function describeFeatures(client: Pick<AdminClient, 'run'>): Promise<ReadonlyMap<string, FeatureLevels>> {
  return client.run(async (ask) => {
    const software = { clientSoftwareName: 'ottla', clientSoftwareVersion: '0.1.0' }
    const answer = await ask(ApiKey.ApiVersions, software)
    if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode)
    const finalized = new Map(answer.finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]))
    const names = new Set([...answer.supportedFeatures.map(({ name }) => name), ...finalized.keys()])
    return new Map(
      [...names].map((name) => {
        const supported = answer.supportedFeatures.find((feature) => feature.name === name)
        const levels = { min: supported?.minVersion ?? 0, max: supported?.maxVersion ?? 0 }
        return [name, { ...levels, finalized: finalized.get(name) ?? 0 }]
      }),
    )
  })
}

/** Changes the level of one feature for the whole cluster. Rejects with KafkaError, where a node lacks the level with one that says which. */
export function updateFeature(
  client: AdminClient,
  feature: string,
  level: number,
  type: keyof typeof UPGRADE_TYPES,
): Promise<void> {
  return client.run(async (ask) => {
    const featureUpdates = [
      { feature, maxVersionLevel: level, upgradeType: UPGRADE_TYPES[type], allowDowngrade: type !== 'upgrade' },
    ]
    const answer = await ask(ApiKey.UpdateFeatures, { featureUpdates })
    const failed = [answer, ...answer.results].find(({ errorCode }) => errorCode !== ErrorCode.NONE)
    if (failed !== undefined) throw KafkaError.fromCode(failed.errorCode, failed.errorMessage)
  })
}
