import {
  FEATURES,
  KRAFT_VERSION,
  METADATA_VERSION,
  METADATA_VERSION_LATEST,
  METADATA_VERSION_MIN,
} from '../metadata/features.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { ApiError, attempt, type NewMetadataRecord, type Outcome } from './result.ts'

type Request = RequestOf<typeof ApiKey.UpdateFeatures>
type Response = ResponseInputOf<typeof ApiKey.UpdateFeatures>
type Update = Request['featureUpdates'][number]

const ALL_FAILED = 'The update failed for all features since the following feature had an error: '

/** The quorum's own feature is not among the metadata. */
export interface FeatureContext {
  readonly nodeId: number
  readonly kraftVersion: number
}

const UPGRADE = 1
const SAFE_DOWNGRADE = 2
const UNSAFE_DOWNGRADE = 3

/** KIP-584. All or none: one update that is refused refuses the request. */
export function updateFeatures(image: MetadataImage, request: Request, controller: FeatureContext): Outcome<Response> {
  // Of a feature that is named twice, the last counts.
  const updates = new Map(request.featureUpdates.map((update) => [update.feature, update]))
  const outcome = attempt(() => [...updates.values()].flatMap((update) => updateFeature(image, update, controller)))
  if (outcome instanceof ApiError)
    return { records: [], response: answer(request, outcome.code, `${ALL_FAILED}${outcome.message}`) }
  return { records: request.validateOnly ? [] : outcome, response: answer(request, ErrorCode.NONE, null) }
}

function answer(request: Request, errorCode: ErrorCode, errorMessage: string | null): Response {
  // From v2 on only the whole request has a result (KIP-1022); v0 and v1 want one for each feature that was updated.
  const updates = errorCode === ErrorCode.NONE ? request.featureUpdates : []
  const results = updates.map(({ feature }) => ({ feature, errorCode, errorMessage: 'NONE' }))
  return { throttleTimeMs: 0, errorCode, errorMessage, results }
}

function updateFeature(
  image: MetadataImage,
  update: Update,
  { nodeId, kraftVersion }: FeatureContext,
): NewMetadataRecord[] {
  const { feature: name, maxVersionLevel: level } = update
  const upgradeType = update.allowDowngrade ? SAFE_DOWNGRADE : update.upgradeType
  const invalid = (why: string) =>
    new ApiError(ErrorCode.INVALID_UPDATE_VERSION, `Invalid update version ${level} for feature ${name}. ${why}`)
  if (upgradeType < UPGRADE || upgradeType > UNSAFE_DOWNGRADE) {
    throw invalid('The controller does not support the given upgrade type.')
  }
  if (level < 0) throw invalid('A feature version cannot be less than 0.')
  const supported = FEATURES.get(name)
  if (supported === undefined) throw invalid(`Local controller ${nodeId} does not support this feature.`)
  const current = name === KRAFT_VERSION ? kraftVersion : (image.features.get(name) ?? 0)
  const max = Math.max(supported.max, current)
  if ((level !== 0 || name === METADATA_VERSION) && (level < supported.min || level > max)) {
    const why = max === 0 ? 'does not support this feature.' : `only supports versions ${supported.min}-${max}`
    throw invalid(`Local controller ${nodeId} ${why}`)
  }
  if (level < current && upgradeType === UPGRADE) {
    const how = 'setting the upgrade type to either safe or unsafe downgrade.'
    throw invalid(`Can't downgrade the version of this feature without ${how}`)
  }
  if (level > current && upgradeType !== UPGRADE) throw invalid("Can't downgrade to a newer version.")
  if (level === current) return []
  if (name === METADATA_VERSION) checkMetadataDowngrade(current, level, upgradeType)
  if (name === KRAFT_VERSION) throw invalid('The quorum cannot change its version yet.')
  return [{ type: 'FeatureLevelRecord', version: 0, value: { name, featureLevel: level } }]
}

/** Every level of metadata.version that changed the metadata stands in the way of a downgrade: all but these did. */
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
