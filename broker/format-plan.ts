import type { FormatArgs } from './format-args.ts'
import { isUuid } from './lib/uuid.ts'
import {
  ELIGIBLE_LEADER_REPLICAS_VERSION,
  FEATURES,
  KRAFT_VERSION,
  METADATA_VERSION,
  missingDependency,
} from './metadata/features.ts'
import {
  METADATA_VERSION_LATEST,
  METADATA_VERSION_MIN,
  metadataVersionLevel,
  metadataVersionName,
} from './protocol/metadata-version.ts'
import type { Voter } from './raft/voters.ts'

/** Why a directory cannot be formatted like this; the message is kafka-storage's. */
export class FormatError extends Error {
  readonly code = 'FORMAT'
}

const PORT_MAX = 65_535
const SHORT_MIN = -32_768
const SHORT_MAX = 32_767

/** With which metadata.version a feature comes to a new cluster, and at which level; in kafka-storage's order. */
const INTRODUCED: readonly (readonly [name: string, level: number, metadataVersion: number])[] = [
  [KRAFT_VERSION, 1, 21],
  ['transaction.version', 2, 24],
  ['group.version', 1, 22],
  [ELIGIBLE_LEADER_REPLICAS_VERSION, 1, 26],
  ['share.version', 1, 28],
  ['streams.version', 1, 29],
]

/** What a new cluster has beside its metadata.version; 0 too: what came later, or is not served. */
export function releaseLevels(metadataVersion: number): ReadonlyMap<string, number> {
  const isServed = (name: string, level: number): boolean => (FEATURES.get(name)?.max ?? 0) >= level
  return new Map(
    INTRODUCED.map(([name, level, since]) => [name, metadataVersion >= since && isServed(name, level) ? level : 0]),
  )
}

/** The level of every feature that the cluster begins with, 0 left out; metadata.version first. Throws FormatError. */
export function featureLevels(
  { features, releaseVersion }: Pick<FormatArgs, 'features' | 'releaseVersion'>,
  hasDynamicQuorum: boolean,
): ReadonlyMap<string, number> {
  const given = new Map(features.map(parseFeature))
  const metadataVersion = effectiveMetadataVersion(given, releaseVersion)
  const levels = new Map([[METADATA_VERSION, metadataVersion]])
  const wanted = new Map([...releaseLevels(metadataVersion), ...given])
  const kraftVersion = given.get(KRAFT_VERSION)
  if (kraftVersion !== undefined) checkKraftVersion(kraftVersion, hasDynamicQuorum)
  for (const name of [...wanted.keys()].toSorted()) {
    const level = wanted.get(name) ?? 0
    const supported = FEATURES.get(name)
    if (supported === undefined) {
      const known = [...FEATURES.keys()]
        .filter((feature) => feature !== METADATA_VERSION)
        .toSorted()
        .join(', ')
      throw new FormatError(`Unsupported feature: ${name}. Supported features are: ${known}`)
    }
    if (name === METADATA_VERSION) continue
    if (level < supported.min || level > supported.max)
      throw new FormatError(`No feature:${name} with feature level ${level}`)
    // The quorum keeps it itself.
    if (name === KRAFT_VERSION) continue
    const problem = missingDependency(name, level, levels)
    if (problem !== null) throw new FormatError(problem)
    if (level > 0) levels.set(name, level)
  }
  return levels
}

function parseFeature(text: string): [string, number] {
  const equals = text.indexOf('=')
  if (equals < 0) throw new FormatError(`Can't parse feature=level string ${text}: equals sign not found.`)
  const level = text.slice(equals + 1).trim()
  if (!isShort(level))
    throw new FormatError(`Can't parse feature=level string ${text}: unable to parse ${level} as a short.`)
  return [text.slice(0, equals).trim(), Number(level)]
}

/** Whether it is the number of a feature's level. */
export function isShort(text: string): boolean {
  return /^[+-]?\d+$/.test(text) && Number(text) >= SHORT_MIN && Number(text) <= SHORT_MAX
}

function effectiveMetadataVersion(wanted: ReadonlyMap<string, number>, releaseVersion: string | undefined): number {
  const level = wanted.get(METADATA_VERSION)
  if (level !== undefined && releaseVersion !== undefined) {
    const instead = `Use --release-version instead of --feature ${METADATA_VERSION}=X to avoid ambiguity.`
    throw new FormatError(instead)
  }
  if (level !== undefined && (level < METADATA_VERSION_MIN || level > METADATA_VERSION_LATEST)) {
    const valid = `Valid feature levels are from ${METADATA_VERSION_MIN} to ${METADATA_VERSION_LATEST}.`
    throw new FormatError(`No MetadataVersion with feature level ${level}. ${valid}`)
  }
  return releaseVersion === undefined ? (level ?? METADATA_VERSION_LATEST) : releasedLevel(releaseVersion)
}

/** The metadata.version of `4.3-IV0` or `4.3`. Throws FormatError. */
export function releasedLevel(releaseVersion: string): number {
  const level = metadataVersionLevel(releaseVersion)
  if (level !== undefined) return level
  const count = METADATA_VERSION_LATEST - METADATA_VERSION_MIN + 1
  const names = Array.from({ length: count }, (_, index) => metadataVersionName(METADATA_VERSION_MIN + index))
  const known = names.join(', ')
  throw new FormatError(`Unknown metadata.version '${releaseVersion}'. Supported metadata.version are: ${known}`)
}

function checkKraftVersion(level: number, hasDynamicQuorum: boolean): void {
  if (level === 0 && hasDynamicQuorum) {
    throw new FormatError(
      'Cannot set kraft.version to 0 if controller.quorum.voters is empty and one of the flags ' +
        '--standalone, --initial-controllers, or --no-initial-controllers is used. For dynamic ' +
        'controllers support, try removing the --feature flag for kraft.version.',
    )
  }
  if (level === 0 || hasDynamicQuorum) return
  throw new FormatError(
    `Cannot set kraft.version to ${level} unless controller.quorum.voters is empty and one of the flags --standalone, ` +
      '--initial-controllers, or --no-initial-controllers is used. For dynamic controllers support, try using one of ' +
      '--standalone, --initial-controllers, or --no-initial-controllers and removing controller.quorum.voters.',
  )
}

/** `id@host:port:directory,…`: the voters of a new dynamic quorum. Throws FormatError. */
export function parseVoters(text: string, listenerName: string): Voter[] {
  const voters = text
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean)
    .map((entry) => parseVoter(entry, listenerName))
  if (voters.length === 0) throw new FormatError('No voters given.')
  const seen = new Set<number>()
  for (const { id } of voters) {
    if (seen.has(id)) throw new FormatError(`Node id ${id} was specified more than once.`)
    seen.add(id)
  }
  return voters
}

function parseVoter(text: string, listenerName: string): Voter {
  const at = text.indexOf('@')
  if (at < 0) throw new FormatError('No @ found in dynamic voter string.')
  if (at === 0) throw new FormatError('Invalid @ at beginning of dynamic voter string.')
  if (!/^-?\d+$/.test(text.slice(0, at))) throw new FormatError('Failed to parse node id in dynamic voter string.')
  const id = Number(text.slice(0, at))
  if (id < 0) throw new FormatError(`Invalid negative node id ${id} in dynamic voter string.`)
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):([^:]*):(.*)$/.exec(text.slice(at + 1))
  if (match === null) throw new FormatError('No hostname, port and directory ID found after node id.')
  const [, ipv6, host, portText = '', directoryId = ''] = match
  if (!/^\d+$/.test(portText)) throw new FormatError('Failed to parse port in dynamic voter string.')
  const port = Number(portText)
  if (port > PORT_MAX) throw new FormatError(`Invalid port ${port} in dynamic voter string.`)
  if (!isUuid(directoryId)) throw new FormatError('Failed to parse directory ID in dynamic voter string.')
  return { id, directoryId, endpoints: [{ name: listenerName, host: ipv6 ?? host ?? '', port }] }
}
