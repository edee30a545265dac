import {
  ELIGIBLE_LEADER_REPLICAS_VERSION,
  KRAFT_VERSION,
  METADATA_VERSION,
  missingDependency,
} from '../metadata/features.ts'
import { METADATA_VERSION_LATEST, METADATA_VERSION_MIN } from '../protocol/metadata-version.ts'
import { type MetadataImage, ResourceType } from '../metadata/image.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { MIN_ISR } from './cluster.ts'
import { type Quorum, reasonNotSupported } from './feature-support.ts'
import { ApiError, attempt, type NewMetadataRecord, type Outcome } from './result.ts'

type Request = RequestOf<typeof ApiKey.UpdateFeatures>
type Response = ResponseInputOf<typeof ApiKey.UpdateFeatures>
type Update = Request['featureUpdates'][number]

const ALL_FAILED = 'The update failed for all features since the following feature had an error: '

export interface FeatureContext extends Quorum {
  /** The quorum's own feature is not among the metadata. */
  readonly kraftVersion: number
  /** Takes the quorum to another level, or only says whether it could go: why not, or null. */
  readonly upgradeKraftVersion: (level: number, options: { readonly validateOnly: boolean }) => string | null
  /** min.insync.replicas of server.properties. */
  readonly minInSyncReplicas: number
}

const UPGRADE = 1
const SAFE_DOWNGRADE = 2
const UNSAFE_DOWNGRADE = 3

/** KIP-584. All or none: one update that is refused refuses the request. */
export function updateFeatures(image: MetadataImage, request: Request, context: FeatureContext): Outcome<Response> {
  // Of a feature that is named twice, the last counts.
  const updates = new Map(request.featureUpdates.map((update) => [update.feature, update]))
  const levels = new Map(image.features)
  for (const { feature, maxVersionLevel } of updates.values()) levels.set(feature, maxVersionLevel)
  const outcome = attempt(() => {
    const records = [...updates.values()].flatMap((update) => updateFeature(image, update, levels, context))
    return [...records, ...kraftRecords(updates.get(KRAFT_VERSION), request.validateOnly, context)]
  })
  if (outcome instanceof ApiError)
    return { records: [], response: answer(request, outcome.code, `${ALL_FAILED}${outcome.message}`) }
  const hasElr = (updates.get(ELIGIBLE_LEADER_REPLICAS_VERSION)?.maxVersionLevel ?? 0) > 0
  const records = hasElr ? [...elrSafetyRecords(image, context), ...outcome] : outcome
  return { records: request.validateOnly ? [] : records, response: answer(request, ErrorCode.NONE, null) }
}

function answer(request: Request, errorCode: ErrorCode, errorMessage: string | null): Response {
  // From v2 on only the whole request has a result (KIP-1022); v0 and v1 want one for each feature that was updated.
  const updates = errorCode === ErrorCode.NONE ? request.featureUpdates : []
  const results = updates.map(({ feature }) => ({ feature, errorCode, errorMessage: 'NONE' }))
  return { throttleTimeMs: 0, errorCode, errorMessage, results }
}

function invalidUpdate({ feature, maxVersionLevel }: Update, why: string): ApiError {
  const message = `Invalid update version ${maxVersionLevel} for feature ${feature}. ${why}`
  return new ApiError(ErrorCode.INVALID_UPDATE_VERSION, message)
}

/** Throws ApiError. The quorum keeps kraft.version itself: no record. */
function updateFeature(
  image: MetadataImage,
  update: Update,
  levels: ReadonlyMap<string, number>,
  context: FeatureContext,
): NewMetadataRecord[] {
  const { feature: name, maxVersionLevel: level } = update
  const upgradeType = update.allowDowngrade ? SAFE_DOWNGRADE : update.upgradeType
  if (upgradeType < UPGRADE || upgradeType > UNSAFE_DOWNGRADE) {
    throw invalidUpdate(update, 'The controller does not support the given upgrade type.')
  }
  if (level < 0) throw invalidUpdate(update, 'A feature version cannot be less than 0.')
  const current = name === KRAFT_VERSION ? context.kraftVersion : (image.features.get(name) ?? 0)
  const reason = reasonNotSupported(image, context, { name, level, current })
  if (reason !== null) throw invalidUpdate(update, reason)
  if (level < current && upgradeType === UPGRADE) {
    const how = 'setting the upgrade type to either safe or unsafe downgrade.'
    throw invalidUpdate(update, `Can't downgrade the version of this feature without ${how}`)
  }
  if (level > current && upgradeType !== UPGRADE) throw invalidUpdate(update, "Can't downgrade to a newer version.")
  if (level === current) return []
  if (name === KRAFT_VERSION) {
    if (level < current) throw invalidUpdate(update, "Can't downgrade the version of this feature.")
    return []
  }
  if (name === METADATA_VERSION) checkMetadataDowngrade(current, level, upgradeType)
  else checkDependencies(update, levels)
  return [{ type: 'FeatureLevelRecord', version: 0, value: { name, featureLevel: level } }]
}

/** The quorum comes last: nothing may be refused once it has gone. A NoOpRecord gives the answer an offset to wait for, as in Kafka. */
function kraftRecords(
  update: Update | undefined,
  validateOnly: boolean,
  { kraftVersion, upgradeKraftVersion }: FeatureContext,
): NewMetadataRecord[] {
  if (update === undefined || update.maxVersionLevel === kraftVersion) return []
  const problem = upgradeKraftVersion(update.maxVersionLevel, { validateOnly })
  if (problem !== null) throw invalidUpdate(update, problem)
  return [{ type: 'NoOpRecord', version: 0, value: {} }]
}

/** Levels of other features that a feature is built on. */
function checkDependencies(update: Update, levels: ReadonlyMap<string, number>): void {
  const problem = missingDependency(update.feature, update.maxVersionLevel, levels)
  if (problem !== null) throw invalidUpdate(update, problem)
}

/** KIP-966 counts on one minimum of in-sync replicas for all brokers. */
function elrSafetyRecords(image: MetadataImage, { minInSyncReplicas }: FeatureContext): NewMetadataRecord[] {
  const change = (resourceName: string, value: string | null): NewMetadataRecord => ({
    type: 'ConfigRecord',
    version: 0,
    value: { resourceType: ResourceType.BROKER, resourceName, name: MIN_ISR, value },
  })
  const records: NewMetadataRecord[] = []
  if (!image.configsOf(ResourceType.BROKER, '').has(MIN_ISR)) records.push(change('', String(minInSyncReplicas)))
  for (const { type, name, entries } of image.configs.values()) {
    if (type === ResourceType.BROKER && name !== '' && entries.has(MIN_ISR)) records.push(change(name, null))
  }
  return records
}

/** Throws ApiError where a level in between changed the metadata: what it added would be lost. */
function checkMetadataDowngrade(current: number, level: number, upgradeType: number): void {
  if (level >= current) return
  const which = `Unsupported metadata.version downgrade from ${current} to ${level}.`
  const why =
    upgradeType === UNSAFE_DOWNGRADE
      ? 'Unsafe metadata downgrade is not supported in this version.'
      : 'Refusing to perform the requested downgrade because it might delete metadata information.'
  const isKnown = level >= METADATA_VERSION_MIN && level <= METADATA_VERSION_LATEST
  if (!isKnown || changesMetadata(level, current))
    throw new ApiError(ErrorCode.INVALID_UPDATE_VERSION, `${which} ${why}`)
}

/** Levels that added or changed a record. */
const METADATA_CHANGES = [8, 11, 13, 14, 15, 17, 23, 30]

function changesMetadata(from: number, to: number): boolean {
  return METADATA_CHANGES.some((level) => level > from && level <= to)
}
