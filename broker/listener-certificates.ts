import { type ServerConfig, withFreshVariables } from './config/server-config.ts'
import { listenerTls, tlsProblem } from './config/tls.ts'
import type { VariableSources } from './config/variables.ts'
import type { Clock, Timer } from './env/clock.ts'
import type { Disk } from './env/disk.ts'
import { type Tls, type TlsContext, TlsError, type TlsSettings } from './env/tls.ts'
import type { Logger } from './telemetry/logger.ts'

/** How often the files behind certificates are looked at. Kubernetes itself brings a changed Secret within a minute or two. */
const LOOK_MS = 60_000

export interface ListenerCertificatesDeps {
  readonly tls?: Tls
  readonly disk: Pick<Disk, 'readFile'>
  readonly clock: Clock
  readonly logger: Logger
  readonly environment?: VariableSources['environment']
}

interface Served {
  settings: TlsSettings
  context: TlsContext
  /** What was wrong with the files at the last look; it is told once. */
  problem: string | undefined
}

/** What the listeners with SSL show their clients; files that change are taken without a restart, in cert-manager's and everybody's manner. */
export class ListenerCertificates implements Disposable {
  readonly #current: () => ServerConfig
  readonly #deps: ListenerCertificatesDeps
  readonly #served = new Map<string, Served>()
  #config: ServerConfig
  #timer: Timer | undefined

  /** `current` tells the settings of the moment. Throws a ConfigError where a listener cannot speak TLS with what it has. */
  constructor(current: () => ServerConfig, deps: ListenerCertificatesDeps) {
    this.#current = current
    this.#deps = deps
    const config = current()
    this.#config = config
    for (const { name, protocol } of config.listeners) {
      if (protocol === 'SSL') this.#add(name, config)
    }
    if (this.#served.size > 0) this.#lookLater()
  }

  /** What a new connection of the listener is made with; undefined: nothing, it is not encrypted. */
  contextOf(listener: string): (() => TlsContext) | undefined {
    const served = this.#served.get(listener)
    return served === undefined ? undefined : () => served.context
  }

  /** When the certificate of each listener expires, ms since the epoch. */
  *expirations(): Generator<readonly [listener: string, notAfterMs: number]> {
    for (const [listener, { context }] of this.#served) yield [listener, context.certificate.notAfterMs]
  }

  /** The settings may have changed: those that are new are in force at once. */
  reconfigure(): void {
    if (this.#current() !== this.#config) this.#lookAtAll()
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel()
  }

  #add(listener: string, config: ServerConfig): void {
    const settings = listenerTls(config, listener, this.#readFile)
    const context = this.#contextOf(listener, settings, config)
    this.#served.set(listener, { settings, context, problem: undefined })
    this.#tell(listener, context, 'a listener has its certificate')
  }

  #lookLater(): void {
    this.#timer = this.#deps.clock.setTimer(LOOK_MS, () => {
      this.#lookAtAll()
      this.#lookLater()
    })
  }

  #lookAtAll(): void {
    this.#config = this.#current()
    for (const [listener, served] of this.#served) this.#look(listener, served)
  }

  #look(listener: string, served: Served): void {
    try {
      const config = withFreshVariables(this.#config, this.#sources)
      const settings = listenerTls(config, listener, this.#readFile)
      const isNew = !areSame(settings, served.settings)
      if (isNew) served.context = this.#contextOf(listener, settings, config)
      served.settings = settings
      served.problem = undefined
      if (isNew) this.#tell(listener, served.context, 'a listener has a new certificate')
    } catch (error) {
      this.#refuse(listener, served, error)
    }
  }

  #refuse(listener: string, served: Served, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    if (reason === served.problem) return
    served.problem = reason
    const { subject, notAfterMs } = served.context.certificate
    const notAfter = new Date(notAfterMs).toISOString()
    this.#deps.logger.error(
      { listener, reason, subject, notAfter },
      'the new certificate of a listener is of no use; it keeps the one that it has',
    )
  }

  #contextOf(listener: string, settings: TlsSettings, config: ServerConfig): TlsContext {
    const { tls } = this.#deps
    if (tls === undefined) throw new Error(`listener ${listener} needs TLS, which this host does not have`)
    try {
      return tls.context(settings)
    } catch (error) {
      throw error instanceof TlsError ? tlsProblem(config, listener, error) : error
    }
  }

  #tell(listener: string, { certificate }: TlsContext, message: string): void {
    const { subject, issuer, names, notBeforeMs, notAfterMs } = certificate
    const notAfter = new Date(notAfterMs).toISOString()
    const fields = { listener, subject, issuer, names, notAfter }
    const nowMs = this.#deps.clock.wallMs()
    if (notAfterMs <= nowMs || notBeforeMs > nowMs) this.#deps.logger.warn(fields, `${message}, which is not valid now`)
    else this.#deps.logger.info(fields, message)
  }

  readonly #readFile = (path: string): Uint8Array => this.#deps.disk.readFile(path)

  get #sources(): VariableSources {
    return { readFile: this.#readFile, environment: this.#deps.environment ?? {} }
  }
}

function areSame(a: TlsSettings, b: TlsSettings): boolean {
  return textOf(a) === textOf(b)
}

/** All of it, as one text. */
function textOf(settings: TlsSettings): string {
  return JSON.stringify(settings, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
  )
}
