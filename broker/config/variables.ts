import { ConfigError, invalidValue } from './config-error.ts'
import { parseProperties } from './properties.ts'

/** Where the values of variables come from. */
export interface VariableSources {
  /** Throws where there is no such file. */
  readonly readFile: (path: string) => Uint8Array
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** The value of `key` at `path`; undefined where there is none. */
type Provider = (path: string, key: string) => string | undefined

/** `${provider:path:key}` or `${provider:key}`, whose path is ''; it stands in a text from `start` to before `end`. */
interface Variable {
  readonly start: number
  readonly end: number
  readonly provider: string
  readonly path: string
  readonly key: string
}

const PACKAGE = 'org.apache.kafka.common.config.provider'

/** Whether `text` still has a variable. */
export function hasVariable(text: string): boolean {
  return !variablesIn(text).next().done
}

/**
 * As Kafka's ConfigTransformer finds them. By hand: values come from clients too, and its pattern, which can part the colons of a long text in
 * a great many ways, would keep the event loop for hours.
 */
function* variablesIn(text: string): Generator<Variable> {
  for (let start = text.indexOf('${'); start >= 0;) {
    const end = text.indexOf('}', start) + 1
    if (end === 0) return
    const [provider = '', second, ...rest] = text.slice(start + 2, end - 1).split(':')
    if (second !== undefined) {
      const [path, key] = rest.length === 0 ? ['', second] : [second, rest.join(':')]
      yield { start, end, provider, path, key }
    }
    start = text.indexOf('${', end)
  }
}

/**
 * KIP-297: the values of `properties` with their variables replaced, by the providers that `server` names, which is server.properties: what
 * clients set has no say in which files may be read. What no provider knows stays as it is, as in Apache Kafka. Throws a ConfigError where
 * a provider is not one of Apache Kafka's own, or its parameters are of no use.
 */
export function resolveVariables(
  properties: ReadonlyMap<string, string>,
  sources: VariableSources,
  server: ReadonlyMap<string, string> = properties,
): ReadonlyMap<string, string> {
  const providers = providersOf(server, sources)
  if (providers.size === 0) return properties
  return new Map([...properties].map(([name, text]) => [name, resolveText(text, providers)]))
}

function resolveText(text: string, providers: ReadonlyMap<string, Provider>): string {
  const parts: string[] = []
  let from = 0
  for (const { start, end, provider, path, key } of variablesIn(text)) {
    parts.push(text.slice(from, start), providers.get(provider)?.(path, key) ?? text.slice(start, end))
    from = end
  }
  return parts.join('') + text.slice(from)
}

function providersOf(properties: ReadonlyMap<string, string>, sources: VariableSources): Map<string, Provider> {
  const names = (properties.get('config.providers') ?? '').split(',').map((name) => name.trim())
  const known = names.filter((name) => name !== '')
  return new Map(known.map((name) => [name, providerOf(name, properties, sources)]))
}

function providerOf(name: string, properties: ReadonlyMap<string, string>, sources: VariableSources): Provider {
  const prefix = `config.providers.${name}`
  const parameter = (key: string): string | undefined => properties.get(`${prefix}.param.${key}`)
  const className = properties.get(`${prefix}.class`)?.trim()
  switch (className) {
    case `${PACKAGE}.DirectoryConfigProvider`:
      return withinAllowed(parameter('allowed.paths'), (path, key) => ofDirectory(path, key, sources))
    case `${PACKAGE}.FileConfigProvider`:
      return withinAllowed(parameter('allowed.paths'), (path, key) => ofFile(path, sources)?.get(key))
    case `${PACKAGE}.EnvVarConfigProvider`:
      return ofEnvironment(allowlist(`${prefix}.param.allowlist.pattern`, parameter('allowlist.pattern')), sources)
    default: {
      const allowed = ['Directory', 'File', 'EnvVar'].map((kind) => `${PACKAGE}.${kind}ConfigProvider`).join(', ')
      const key = `${prefix}.class`
      const message = invalidValue(key, className ?? 'null', `not available; allowed: ${allowed}`)
      throw new ConfigError([{ key, value: className ?? null, message }])
    }
  }
}

/** `allowed`: directories and files, separated by commas; undefined: everything. */
function withinAllowed(allowed: string | undefined, provider: Provider): Provider {
  if (allowed === undefined) return provider
  const roots = allowed.split(',').map((root) => root.trim().replace(/\/+$/, ''))
  return (path, key) => {
    const isWithin = roots.some((root) => path === root || path.startsWith(`${root}/`))
    return isWithin && !path.split('/').includes('..') ? provider(path, key) : undefined
  }
}

/** A file of the directory, named by the key. */
function ofDirectory(path: string, key: string, sources: VariableSources): string | undefined {
  return path === '' || key === '' || key.includes('/') || key === '..'
    ? undefined
    : contentOf(`${path}/${key}`, sources)
}

function ofFile(path: string, sources: VariableSources): ReadonlyMap<string, string> | undefined {
  const text = path === '' ? undefined : contentOf(path, sources)
  return text === undefined ? undefined : parseProperties(text)
}

/** The pattern of the value of `key`; undefined where it has none. */
function allowlist(key: string, value: string | undefined): RegExp | undefined {
  try {
    return value === undefined ? undefined : new RegExp(`^(?:${value})$`)
  } catch {
    throw new ConfigError([{ key, value: value ?? null, message: invalidValue(key, value ?? 'null', 'no pattern') }])
  }
}

function ofEnvironment(allowed: RegExp | undefined, { environment }: VariableSources): Provider {
  return (path, key) => (path === '' && allowed?.test(key) !== false ? environment[key] : undefined)
}

function contentOf(path: string, { readFile }: VariableSources): string | undefined {
  try {
    return new TextDecoder().decode(readFile(path))
  } catch {
    return undefined
  }
}
