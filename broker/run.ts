import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { Broker } from './broker.ts'
import { ConfigError } from './config/config-error.ts'
import { parseProperties } from './config/properties.ts'
import { parseServerConfig, type ServerConfig } from './config/server-config.ts'
import type { Env } from './env/env.ts'
import { keepAlive } from './host/alive.ts'
import { fs, util } from './host/builtins.ts'
import { nodeEnv } from './host/env.ts'
import { IdleRatio } from './telemetry/idle-ratio.ts'
import { LOG_LEVELS, type LogLevel, LogThreshold } from './telemetry/log-threshold.ts'
import { createLogger, type Logger } from './telemetry/logger.ts'

const USAGE = 'usage: node broker/main.ts server.properties [--override KEY=VALUE]...'

/** Starts a broker and runs it until SIGTERM or SIGINT; gives the exit code. Arguments are those of kafka-server-start. */
export function runBroker(argv: readonly string[]): Promise<number> {
  // While a broker looks for a controller, it may have no socket.
  return keepAlive(() => run(argv))
}

async function run(argv: readonly string[]): Promise<number> {
  const env = nodeEnv()
  const logThreshold = new LogThreshold(logLevel())
  const logger = createLogger({ threshold: logThreshold }, { clock: env.clock, destination: process.stdout })
  using idle = new IdleRatio(idleSinceLast(), env)
  try {
    const { config, warnings } = readConfig(env, argv)
    for (const warning of warnings) logger.warn({}, warning)
    await using broker = await Broker.open(
      { config, hostName: hostname() },
      {
        env,
        logger,
        logThreshold,
        withProcessMetrics: true,
        idleRatio: () => idle.value,
        diskBytes,
        environment: process.env,
      },
    )
    const signal = await stopSignal(broker)
    logger.info({ signal }, 'stopping')
    if (signal === 'failed') return 1
    return 0
  } catch (error) {
    report(logger, error)
    return 1
  }
}

/** The idle part of the event loop since it was last asked: for one who asks. */
function idleSinceLast(): () => number {
  let last = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    return 1 - utilization
  }
}

/** What this process has read from and written to devices since its start, where the system tells. */
function diskBytes(): { read: number; written: number } | undefined {
  try {
    const fields = new Map(
      fs
        .readFileSync('/proc/self/io', 'utf8')
        .split('\n')
        .map((line) => line.split(': ') as [string, string]),
    )
    return { read: Number(fields.get('read_bytes')), written: Number(fields.get('write_bytes')) }
  } catch {
    return undefined
  }
}

/** Environment variable OTTLA_LOG_LEVEL: debug, info (default), warn or error. */
function logLevel(): LogLevel {
  return LOG_LEVELS.find((level) => level === process.env['OTTLA_LOG_LEVEL']) ?? 'info'
}

function readConfig(env: Env, argv: readonly string[]): { config: ServerConfig; warnings: readonly string[] } {
  const { positionals, values } = util.parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { override: { type: 'string', multiple: true } },
  })
  const [file, ...rest] = positionals
  if (file === undefined || rest.length > 0) throw new UsageError(USAGE)
  const overrides = new Map((values.override ?? []).map((text) => splitOverride(text)))
  const text = new TextDecoder().decode(env.disk.readFile(resolve(file)))
  const sources = { readFile: (path: string) => env.disk.readFile(resolve(path)), environment: process.env }
  const { config, warnings } = parseServerConfig(parseProperties(text), overrides, sources)
  const absolute = {
    logDirs: config.logDirs.map((path) => resolve(path)),
    metadataLogDir: resolve(config.metadataLogDir),
  }
  return { config: { ...config, ...absolute }, warnings }
}

class UsageError extends Error {
  readonly code = 'USAGE'
}

function splitOverride(text: string): [string, string] {
  const equals = text.indexOf('=')
  if (equals <= 0) throw new UsageError(`--override ${text}: KEY=VALUE is expected\n${USAGE}`)
  return [text.slice(0, equals), text.slice(equals + 1)]
}

/** A second signal ends the process at once: whoever sends two does not want to wait. */
function stopSignal(broker: Broker): Promise<string> {
  return new Promise((stop) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1))
        stop(signal)
      })
    }
    broker.onFailed(() => stop('failed'))
  })
}

function report(logger: Logger, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error)
  if (error instanceof ConfigError || error instanceof UsageError) process.stderr.write(`${reason}\n`)
  else logger.error({ err: error }, 'the broker cannot run')
}
