import { parseArgs } from 'node:util'

const COMMANDS = ['info', 'format', 'version-mapping', 'feature-dependencies', 'random-uuid'] as const
type Command = (typeof COMMANDS)[number]

/** A command of kafka-storage, and the words after it. */
export interface FormatArgs {
  readonly command: Command
  readonly config: string
  readonly clusterId: string
  readonly ignoreFormatted: boolean
  readonly standalone: boolean
  readonly noInitialControllers: boolean
  readonly initialControllers: string | undefined
  readonly scramCredentials: readonly string[]
  readonly features: readonly string[]
  readonly releaseVersion: string | undefined
}

/** Words that make no command; the message is what kafka-storage prints. `code` is the exit status: 0 after -h. */
export class UsageError extends Error {
  readonly exitCode: number
  constructor(message: string, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

const TOP_USAGE = `usage: kafka-storage [-h] {${COMMANDS.join(',')}} ...`
const USAGES: Readonly<Record<Command, string>> = {
  info: 'usage: kafka-storage info [-h] --config CONFIG',
  format: `usage: kafka-storage format [-h] --config CONFIG --cluster-id CLUSTER_ID
                     [--add-scram ADD_SCRAM] [--ignore-formatted]
                     [--release-version RELEASE_VERSION]
                     [--feature FEATURE] [--standalone |
                     --no-initial-controllers |
                     --initial-controllers INITIAL_CONTROLLERS]`,
  'version-mapping': `usage: kafka-storage version-mapping [-h]
                     [--release-version RELEASE_VERSION]`,
  'feature-dependencies': 'usage: kafka-storage feature-dependencies [-h] --feature FEATURE',
  'random-uuid': 'usage: kafka-storage random-uuid [-h]',
}

/** Reads the words as kafka-storage does; without a command word, `format` is meant. Throws UsageError. */
export function parseFormatArgs(argv: readonly string[]): FormatArgs {
  const [first = ''] = argv
  if (first === '-h' || first === '--help') throw new UsageError(TOP_USAGE, 0)
  const isOption = first.startsWith('-')
  const command = isOption ? 'format' : COMMANDS.find((known) => known === first)
  if (first === '') throw new UsageError(`${TOP_USAGE}\nkafka-storage: error: too few arguments`)
  if (command === undefined) {
    const known = COMMANDS.map((name) => `'${name}'`).join(', ')
    throw new UsageError(`${TOP_USAGE}\nkafka-storage: error: invalid choice: '${first}' (choose from ${known})`)
  }
  const values = optionsOf(command, argv.slice(isOption ? 0 : 1))
  const parsed: FormatArgs = {
    command,
    config: values.config ?? '',
    clusterId: values['cluster-id'] ?? '',
    ignoreFormatted: values['ignore-formatted'] ?? false,
    standalone: values.standalone ?? false,
    noInitialControllers: values['no-initial-controllers'] ?? false,
    initialControllers: values['initial-controllers'],
    scramCredentials: values['add-scram'] ?? [],
    features: values.feature ?? [],
    releaseVersion: values['release-version'],
  }
  checkRequired(parsed)
  return parsed
}

function optionsOf(command: Command, args: readonly string[]) {
  let parsed
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        config: { type: 'string', short: 'c' },
        'cluster-id': { type: 'string', short: 't' },
        'ignore-formatted': { type: 'boolean', short: 'g' },
        standalone: { type: 'boolean', short: 's' },
        'no-initial-controllers': { type: 'boolean', short: 'N' },
        'initial-controllers': { type: 'string', short: 'I' },
        'add-scram': { type: 'string', short: 'S', multiple: true },
        feature: { type: 'string', short: 'f', multiple: true },
        'release-version': { type: 'string', short: 'r' },
      },
    })
  } catch (error) {
    throw usage(command, problemOf(String(error)))
  }
  const { values, positionals } = parsed
  if (values.help === true) throw new UsageError(USAGES[command], 0)
  if (positionals.length > 0) throw usage(command, `unrecognized arguments: '${positionals.join(' ')}'`)
  return values
}

/** Node's words about an option, in those of kafka-storage. */
function problemOf(message: string): string {
  const [, short, long] = /'(-\w), (--[\w-]+) <value>' argument missing/.exec(message) ?? []
  if (long !== undefined) return `argument ${long}/${short}: expected one argument`
  return `unrecognized arguments: '${/'(-[^' ]*)/.exec(message)?.[1] ?? ''}'`
}

function checkRequired(args: FormatArgs): void {
  const { command, config, clusterId, standalone, noInitialControllers, initialControllers } = args
  if (command === 'random-uuid' || command === 'version-mapping') return
  if (command === 'feature-dependencies') {
    if (args.features.length === 0) throw usage(command, 'argument --feature/-f is required')
    return
  }
  if (command === 'format' && clusterId === '') throw usage(command, 'argument --cluster-id/-t is required')
  if (config === '') throw usage(command, 'argument --config/-c is required')
  const quorums = [
    standalone ? '--standalone/-s' : '',
    noInitialControllers ? '--no-initial-controllers/-N' : '',
    initialControllers === undefined ? '' : '--initial-controllers/-I',
  ].filter(Boolean)
  const [one, other] = quorums
  if (other !== undefined) throw usage(command, `argument ${other}: not allowed with argument ${one}`)
}

function usage(command: Command, message: string): UsageError {
  return new UsageError(`${USAGES[command]}\nkafka-storage: error: ${message}`)
}
