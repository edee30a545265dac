import { Broker } from '../../../broker/broker.ts'
import type { ServerConfig } from '../../../broker/config/server-config.ts'
import type { LogLevel } from '../../../broker/telemetry/log-threshold.ts'
import type { Logger } from '../../../broker/telemetry/logger.ts'
import type { ScopedClock } from '../../fakes/clock.ts'
import type { SimMachine } from '../../fakes/env.ts'
import type { Victim } from '../nemesis.ts'
import type { Trace } from '../simulation.ts'
import type { NodeLayout } from './layout.ts'

export interface SimNodeDeps {
  readonly machine: SimMachine
  readonly trace: Trace
  /** Hears what a node logs. */
  readonly onLog: (node: SimNode, message: string, fields: object) => void
}

/** A machine that runs a node of the cluster. */
export class SimNode implements Victim {
  readonly layout: NodeLayout
  readonly machine: SimMachine
  readonly #config: ServerConfig
  readonly #deps: SimNodeDeps
  #broker: Broker | undefined
  #isStopping = false

  constructor(options: { layout: NodeLayout; config: ServerConfig }, deps: SimNodeDeps) {
    this.layout = options.layout
    this.#config = options.config
    this.machine = deps.machine
    this.#deps = deps
  }

  get name(): string {
    return this.machine.name
  }

  /** An orderly stop has begun, and the node was not started since. */
  get isStopping(): boolean {
    return this.#isStopping
  }

  start(): void {
    this.#isStopping = false
    const env = this.machine.start()
    const { clock } = this.machine
    this.#broker = undefined
    this.#deps.trace.note('starts', this.name)
    const logger = this.#logger(clock)
    const deps = { env, logger, withProcessMetrics: false, idleRatio: () => 1 }
    const opening = Broker.open({ config: this.#config, hostName: this.name }, deps)
    opening.then(
      (broker) => {
        if (clock !== this.machine.clock) return
        this.#broker = broker
        broker.onFailed(() => this.#exit(clock, 'it has failed'))
      },
      (error: unknown) => this.#exit(clock, String(error)),
    )
  }

  stop(): void {
    this.#isStopping = true
    const { clock } = this.machine
    const broker = this.#broker
    const end = (): void => this.#exit(clock, 'it has stopped')
    if (broker === undefined) end()
    else broker[Symbol.asyncDispose]().then(end, (error: unknown) => this.#exit(clock, String(error)))
  }

  /** What a node logs is part of the history. */
  #logger(clock: ScopedClock | undefined): Logger {
    const log = (level: LogLevel) => (fields: object, message: string) => {
      if (clock?.alive !== true) return
      this.#deps.trace.note(`${level}: ${message} ${describe(fields)}`, this.name)
      this.#deps.onLog(this, message, fields)
    }
    const logger: Logger = {
      debug: () => {},
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
      child: () => logger,
    }
    return logger
  }

  /** The process ends by itself. */
  #exit(clock: ScopedClock | undefined, reason: string): void {
    if (clock !== this.machine.clock) return
    this.#deps.trace.note(`exits: ${reason}`, this.name)
    clock?.setTimer(0, () => this.machine.kill())
  }
}

function describe(fields: object): string {
  const text = JSON.stringify(fields, (_, value: unknown) => {
    if (value instanceof Error) return value.message
    if (typeof value === 'bigint') return Number(value)
    return value
  })
  return text === '{}' ? '' : text.slice(0, 300)
}
