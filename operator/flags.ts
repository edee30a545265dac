import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { flagError, splitAddress } from './api/address.ts'
import type { OperatorOptions } from './operator.ts'

export interface OperatorFlags {
  readonly operator: Omit<OperatorOptions, 'identity'>
  readonly http: { readonly host: string; readonly port: number }
  /** Where the console is; null: nowhere. */
  readonly console: { readonly host: string; readonly port: number } | null
  readonly logLevel: string
}

/** The Kafka version that `--image` is of. */
const VERSION = '4.3'
/** Apache Kafka's own, of spec.distribution apache. */
const APACHE_IMAGE = 'apache/kafka:4.3.1'
const LOG_LEVELS = [...Object.keys(pino.levels.values), 'silent']
const RESYNC_MS = 5 * 60_000

/** Reads the flags of `operator/main.ts run`; a flag wins over its environment variable. Throws TypeError for what it does not know. */
export function operatorFlags(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): OperatorFlags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      image: { type: 'string' },
      images: { type: 'string' },
      'apache-images': { type: 'string' },
      namespaces: { type: 'string' },
      namespace: { type: 'string' },
      'leader-election': { type: 'string' },
      lease: { type: 'string' },
      http: { type: 'string' },
      console: { type: 'string' },
      'log-level': { type: 'string' },
    },
  })
  const image = values.image ?? env.OTTLA_IMAGE ?? ''
  if (image === '') throw flagError('--image or $OTTLA_IMAGE is needed: the image that brokers run')
  const namespaces = (values.namespaces ?? env.WATCH_NAMESPACES ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  const election = values['leader-election'] ?? env.LEADER_ELECTION ?? 'true'
  if (election !== 'true' && election !== 'false') throw flagError('--leader-election must be true or false')
  const logLevel = values['log-level'] ?? env.LOG_LEVEL ?? 'info'
  if (!LOG_LEVELS.includes(logLevel)) {
    throw flagError(`--log-level must be one of ${LOG_LEVELS.join(', ')}, not ${logLevel}`)
  }
  const namespace = values.namespace ?? env.POD_NAMESPACE ?? 'default'
  const lease = { namespace, name: values.lease ?? env.LEASE_NAME ?? 'ottla-operator' }
  const console = values.console ?? env.CONSOLE_LISTEN ?? '127.0.0.1:8081'
  return {
    operator: {
      images: {
        bundled: new Map([[VERSION, image], ...imagesOf('--images', values.images ?? env.OTTLA_IMAGES ?? '')]),
        apache: new Map([
          [VERSION, APACHE_IMAGE],
          ...imagesOf('--apache-images', values['apache-images'] ?? env.APACHE_IMAGES ?? ''),
        ]),
      },
      namespaces: namespaces.length === 0 ? null : namespaces,
      lease: election === 'true' ? lease : null,
      clusterWorkers: 4,
      // Each waits for answers most of the time; what they ask of a cluster meanwhile is one request.
      topicWorkers: 256,
      resyncMs: RESYNC_MS,
    },
    http: splitAddress(values.http ?? env.HTTP_LISTEN ?? '0.0.0.0:8080'),
    console: console === 'off' ? null : splitAddress(console),
    logLevel,
  }
}

/** `4.2=registry/ottla:1.0,4.3=registry/ottla:1.1`. Throws TypeError. */
function imagesOf(flag: string, text: string): [string, string][] {
  const parts = text.split(',').map((part) => part.trim())
  return parts
    .filter((part) => part !== '')
    .map((part) => {
      const [, version, image] = /^([\d.]+)=(\S+)$/.exec(part) ?? []
      if (version === undefined || image === undefined) throw flagError(`${flag}: ${part} is not VERSION=IMAGE`)
      return [version, image]
    })
}
