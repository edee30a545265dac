import { FormatError, isShort, releasedLevel, releaseLevels } from './format-plan.ts'
import { FEATURES, METADATA_VERSION, requiredMetadataVersion } from './metadata/features.ts'
import { METADATA_VERSION_LATEST, metadataVersionName } from './protocol/metadata-version.ts'

/** What `version-mapping` prints: the levels that `format` sets for a release, or for the latest. Throws FormatError. */
export function versionMapping(releaseVersion: string | undefined): string[] {
  const level = releaseVersion === undefined ? METADATA_VERSION_LATEST : releasedLevel(releaseVersion)
  const head = `${METADATA_VERSION}=${level} (${releaseVersion ?? metadataVersionName(level)})`
  return [head, ...[...releaseLevels(level)].map(([name, featureLevel]) => `${name}=${featureLevel}`)]
}

/** What `feature-dependencies` prints of a `feature=level`. Throws FormatError. */
export function featureDependencies(text: string): string[] {
  const { name, level } = parseFeatureLevel(text)
  const isMetadata = name === METADATA_VERSION
  const head = isMetadata ? `${name}=${level} (${metadataVersionName(level)})` : `${name}=${level}`
  const metadataVersion = requiredMetadataVersion(name, level)
  if (metadataVersion === null) return [`${head} has no dependencies.`]
  return [`${head} requires:`, `    ${METADATA_VERSION}=${metadataVersion} (${metadataVersionName(metadataVersion)})`]
}

function parseFeatureLevel(text: string): { name: string; level: number } {
  const equals = text.indexOf('=')
  if (equals < 0) {
    const example = `Expected format: 'feature=version' (e.g. 'group.version=1')`
    throw new FormatError(`Invalid feature format: ${text}. ${example}`)
  }
  const name = text.slice(0, equals).trim()
  const version = text.slice(equals + 1).trim()
  if (!isShort(version)) throw new FormatError(`Invalid version format: ${version} for feature ${name}`)
  const level = Number(version)
  const supported = FEATURES.get(name)
  if (supported === undefined) throw new FormatError(`Unknown feature: ${name}`)
  if (level >= supported.min && level <= supported.max) return { name, level }
  throw new FormatError(
    name === METADATA_VERSION
      ? `Unknown ${name} ${level}`
      : `Feature level ${level} is not supported for feature ${name}`,
  )
}
