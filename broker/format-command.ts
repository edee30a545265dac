import { ConfigError } from './config/config-error.ts'
import { parseProperties } from './config/properties.ts'
import { parseServerConfig, type ServerConfig } from './config/server-config.ts'
import type { Clock } from './env/clock.ts'
import { type Disk, DiskError } from './env/disk.ts'
import type { Random } from './env/random.ts'
import { type FormatArgs, parseFormatArgs, UsageError } from './format-args.ts'
import { formatDirectories, type InitialQuorum } from './format-directories.ts'
import { featureDependencies, versionMapping } from './format-features.ts'
import { featureLevels, FormatError, parseVoters } from './format-plan.ts'
import { randomUuid } from './lib/uuid.ts'
import { StorageError } from './storage/errors.ts'
import { type MetaProperties, readMetaProperties } from './storage/meta-properties.ts'

export interface FormatDeps {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  /** For variables of the configuration. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** One line, without its newline. */
  readonly out: (line: string) => void
  readonly error: (line: string) => void
}

/** What kafka-storage does with these words: its output, its files, its exit status. */
export function formatCommand(argv: readonly string[], deps: FormatDeps): number {
  try {
    const args = parseFormatArgs(argv)
    const lines = linesOf(args, deps)
    if (lines !== null) {
      for (const line of lines) deps.out(line)
      return 0
    }
    const config = readConfig(args.config, deps)
    if (args.command === 'info') return info(config, deps)
    return format(args, config, deps)
  } catch (error) {
    return report(error, deps)
  }
}

/** What a command that only tells tells; null where it does more. Throws FormatError. */
function linesOf({ command, releaseVersion, features }: FormatArgs, { random }: FormatDeps): string[] | null {
  if (command === 'random-uuid') return [randomUuid(random)]
  if (command === 'version-mapping') return versionMapping(releaseVersion)
  return command === 'feature-dependencies' ? features.flatMap(featureDependencies) : null
}

function report(error: unknown, deps: FormatDeps): number {
  if (error instanceof UsageError) {
    const print = error.exitCode === 0 ? deps.out : deps.error
    print(error.message)
    return error.exitCode
  }
  const isExpected = [FormatError, ConfigError, DiskError, StorageError].some((type) => error instanceof type)
  if (!isExpected || !(error instanceof Error)) throw error
  deps.error(error.message)
  return 1
}

function readConfig(path: string, { disk, environment = {}, error }: FormatDeps): ServerConfig {
  const text = new TextDecoder().decode(disk.readFile(path))
  const sources = { readFile: (name: string) => disk.readFile(name), environment }
  const { config, warnings } = parseServerConfig(parseProperties(text), undefined, sources)
  for (const warning of warnings) error(warning)
  return config
}

/** All log directories and the metadata's, sorted, each once. */
function directoriesOf({ logDirs, metadataLogDir }: ServerConfig): string[] {
  return [...new Set([...logDirs, metadataLogDir])].toSorted()
}

function format(args: FormatArgs, config: ServerConfig, deps: FormatDeps): number {
  if (config.processRoles.length === 0) {
    throw new FormatError(
      'The kafka configuration file appears to be for a legacy cluster. Formatting is only supported for clusters in KRaft mode.',
    )
  }
  if (args.scramCredentials.length > 0) {
    throw new FormatError('--add-scram is not available in this version: SASL is not served.')
  }
  const quorum = initialQuorum(args, config, deps)
  formatDirectories(
    {
      directories: directoriesOf(config),
      metadataLogDir: config.metadataLogDir,
      clusterId: args.clusterId,
      nodeId: config.nodeId,
      ignoreFormatted: args.ignoreFormatted,
      levels: featureLevels(args, config.controllerQuorumVoters.length === 0),
      quorum,
    },
    deps,
  )
  return 0
}

/** The voters that the directory begins with; null where they are in the configuration, or are to be found in a running quorum. */
function initialQuorum(args: FormatArgs, config: ServerConfig, deps: FormatDeps): InitialQuorum | null {
  const { standalone, initialControllers, noInitialControllers } = args
  const isStatic = config.controllerQuorumVoters.length > 0
  if (isStatic && (standalone || initialControllers !== undefined)) {
    throw new FormatError(
      'You cannot specify controller.quorum.voters and format the node with --initial-controllers or --standalone. ' +
        'If you want to use dynamic quorum, please remove controller.quorum.voters and specify ' +
        'controller.quorum.bootstrap.servers instead.',
    )
  }
  const listenerName = config.controllerListenerNames[0] ?? ''
  if (initialControllers !== undefined) return { voters: parseVoters(initialControllers, listenerName) }
  if (standalone) return { voters: [standaloneVoter(config, listenerName, deps)] }
  if (!isStatic && config.isController && !noInitialControllers) {
    throw new FormatError(
      'Because controller.quorum.voters is not set on this controller, you must specify one of the following: ' +
        '--standalone, --initial-controllers, or --no-initial-controllers.',
    )
  }
  return null
}

function standaloneVoter(config: ServerConfig, listenerName: string, { random }: FormatDeps) {
  if (!config.isController) throw new FormatError('You can only use --standalone on a controller.')
  const listener = config.listeners.find(({ name }) => name === listenerName)
  if (listener === undefined) throw new FormatError('No controller listeners found.')
  const { host, port } = listener
  const endpoints = [{ name: listenerName, host: host === '' ? 'localhost' : host, port }]
  return { id: config.nodeId, directoryId: randomUuid(random), endpoints }
}

function info(config: ServerConfig, { disk, out }: FormatDeps): number {
  const found: string[] = []
  const problems: string[] = []
  let first: MetaProperties | undefined
  for (const directory of directoriesOf(config)) {
    if (!disk.exists(directory)) {
      problems.push(`${directory} does not exist`)
      continue
    }
    found.push(directory)
    const meta = readMetaProperties(disk, directory)
    if (meta === null) problems.push(`${directory} is not formatted.`)
    else if (first === undefined) first = meta
    else if (first.clusterId !== meta.clusterId) problems.push('Mismatched cluster IDs between storage directories.')
    else if (first.nodeId !== meta.nodeId) problems.push('Mismatched node IDs between storage directories.')
  }
  printList(found, ['Found log directory:', 'Found log directories:'], out)
  if (first !== undefined) {
    const { clusterId, directoryId, nodeId } = first
    const directory = directoryId === undefined ? '' : `directory.id=${directoryId}, `
    out(`Found metadata: {cluster.id=${clusterId}, ${directory}node.id=${nodeId}, version=1}`)
    out('')
  }
  printList(problems, ['Found problem:', 'Found problems:'], out)
  return problems.length > 0 ? 1 : 0
}

function printList(lines: readonly string[], [one, many]: readonly [string, string], out: (line: string) => void) {
  if (lines.length === 0) return
  out(lines.length === 1 ? one : many)
  for (const line of lines) out(`  ${line}`)
  out('')
}
