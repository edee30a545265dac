import type { TlsClientAuth, TlsError, TlsIdentity, TlsPart, TlsProtocol, TlsSettings } from '../env/tls.ts'
import { brokerKey } from './broker-keys.ts'
import { CIPHER_SUITES, opensslCipher } from './cipher-suites.ts'
import { ConfigError, invalidValue } from './config-error.ts'
import { isSensitive, REQUIRED } from './key.ts'
import { setText } from './layers.ts'
import { pemCertificates, pemPrivateKey } from './pem.ts'
import type { ServerConfig } from './server-config.ts'
import { parseValue } from './value.ts'
import { hasVariable } from './variables.ts'

/** Throws where there is no such file. */
type ReadFile = (path: string) => Uint8Array

const PROTOCOLS: readonly TlsProtocol[] = ['TLSv1.2', 'TLSv1.3']
/** How a file of Java's own format begins. */
const JKS_MAGIC = 'feedfeed'

/**
 * What `listener` speaks TLS with: `listener.name.<listener>.ssl.…` over `ssl.…` (KIP-103), in the formats that Apache Kafka takes, but for
 * JKS. Reads the files. Throws a ConfigError that names the key; whether key and certificate go together is not looked at.
 */
export function listenerTls(config: ServerConfig, listener: string, readFile: ReadFile): TlsSettings {
  const keys = new ListenerKeys(config, listener)
  const clientAuth = (keys.text('ssl.client.auth') ?? 'none') as TlsClientAuth
  return {
    identity: identityOf(keys, readFile),
    // Nobody is asked for a certificate: whom to trust is no question.
    trusted: clientAuth === 'none' ? undefined : trustedOf(keys, readFile),
    clientAuth,
    protocols: protocolsOf(keys),
    ciphers: keys.list('ssl.cipher.suites').map((suite) => {
      const cipher = opensslCipher(suite)
      if (cipher !== undefined) return cipher
      throw keys.problem('ssl.cipher.suites', `there is no ${suite}; allowed: ${CIPHER_SUITES.join(', ')}`)
    }),
  }
}

/** What is wrong with settings that `listenerTls` gave, in terms of the keys that they came from. */
export function tlsProblem(config: ServerConfig, listener: string, { part, message }: TlsError): ConfigError {
  const keys = new ListenerKeys(config, listener)
  return keys.problem(keyOf(part, keys), message)
}

function keyOf(part: TlsPart, keys: ListenerKeys): string {
  const isFile = keys.text('ssl.keystore.location') !== undefined
  switch (part) {
    case 'chain':
      return isFile ? 'ssl.keystore.location' : 'ssl.keystore.certificate.chain'
    case 'key':
      return isFile ? 'ssl.keystore.location' : 'ssl.keystore.key'
    case 'pkcs12':
      return 'ssl.keystore.location'
    case 'passphrase':
      return keys.type('ssl.keystore.type') === 'PEM' ? 'ssl.key.password' : 'ssl.keystore.password'
    case 'trusted':
      return keys.text('ssl.truststore.location') === undefined
        ? 'ssl.truststore.certificates'
        : 'ssl.truststore.location'
    default:
      return 'ssl.cipher.suites'
  }
}

/** The keys of one listener. */
class ListenerKeys {
  readonly #config: ServerConfig
  readonly #prefix: string

  constructor(config: ServerConfig, listener: string) {
    this.#config = config
    this.#prefix = `listener.name.${listener.toLowerCase()}.`
  }

  /** Undefined where it is not set, has no default, or is empty. */
  text(key: string): string | undefined {
    const definition = brokerKey(key)
    const fallback = definition?.default ?? undefined
    const text = setText(this.#config.layers, this.#nameOf(key))?.trim() ?? fallback
    return text === '' || text === REQUIRED ? undefined : text
  }

  list(key: string): readonly string[] {
    const definition = brokerKey(key)
    const parsed = definition === undefined ? undefined : parseValue(definition, this.text(key) ?? '')
    return parsed !== undefined && 'value' in parsed && Array.isArray(parsed.value) ? parsed.value : []
  }

  /** The format of a store, in upper case. */
  type(key: string): string {
    return (this.text(key) ?? '').toUpperCase()
  }

  /** A ConfigError that names `key` as it is set, and shows no secret. */
  problem(key: string, why: string): ConfigError {
    const name = this.#nameOf(key)
    const isSecret = isSensitive(brokerKey(key))
    const text = this.text(key)
    const shown = text !== undefined && isSecret && !hasVariable(text) ? '[hidden]' : (text ?? 'null')
    const hint =
      text !== undefined && isSecret && hasVariable(text)
        ? '; the variable was not resolved: is there such a file, and is config.providers set?'
        : ''
    return new ConfigError([
      { key: name, value: isSecret ? null : (text ?? null), message: invalidValue(name, shown, `${why}${hint}`) },
    ])
  }

  #nameOf(key: string): string {
    const own = `${this.#prefix}${key}`
    const isOwn = setText(this.#config.layers, own) !== undefined
    const isGeneral = setText(this.#config.layers, key) !== undefined
    return isOwn || !isGeneral ? own : key
  }
}

function protocolsOf(keys: ListenerKeys): TlsProtocol[] {
  const asked = keys.list('ssl.enabled.protocols')
  const unknown = asked.find((name) => !PROTOCOLS.some((protocol) => protocol === name))
  if (unknown !== undefined) {
    throw keys.problem('ssl.enabled.protocols', `${unknown} is not available; allowed: ${PROTOCOLS.join(', ')}`)
  }
  return asked.length === 0 ? [...PROTOCOLS] : PROTOCOLS.filter((protocol) => asked.includes(protocol))
}

function identityOf(keys: ListenerKeys, readFile: ReadFile): TlsIdentity {
  const type = keys.type('ssl.keystore.type')
  const isInline = ['ssl.keystore.key', 'ssl.keystore.certificate.chain'].some((key) => keys.text(key) !== undefined)
  if (type === 'PEM') return isInline ? inlineIdentity(keys) : pemFileIdentity(keys, readFile)
  if (isInline) {
    throw keys.problem('ssl.keystore.type', 'ssl.keystore.key and ssl.keystore.certificate.chain are for PEM only')
  }
  if (type === 'PKCS12' || type === 'JKS') return storeIdentity(keys, readFile)
  throw keys.problem('ssl.keystore.type', 'not available; allowed: PEM, PKCS12')
}

function inlineIdentity(keys: ListenerKeys): TlsIdentity {
  if (keys.text('ssl.keystore.location') !== undefined) {
    throw keys.problem('ssl.keystore.location', 'there is a separate ssl.keystore.key or certificate chain as well')
  }
  return pemIdentity(keys, 'ssl.keystore.certificate.chain', 'ssl.keystore.key', (key) => keys.text(key) ?? '')
}

function pemFileIdentity(keys: ListenerKeys, readFile: ReadFile): TlsIdentity {
  const location = 'ssl.keystore.location'
  const text = new TextDecoder().decode(storeOf(keys, location, readFile))
  return pemIdentity(keys, location, location, () => text)
}

function pemIdentity(
  keys: ListenerKeys,
  chainKey: string,
  keyKey: string,
  textOf: (key: string) => string,
): TlsIdentity {
  if (keys.text('ssl.keystore.password') !== undefined) {
    throw keys.problem('ssl.keystore.password', 'a PEM key store has none; ssl.key.password is for an encrypted key')
  }
  const chain = pemCertificates(textOf(chainKey))
  const key = pemPrivateKey(textOf(keyKey))
  if (chain === '') throw keys.problem(chainKey, 'there is no PEM certificate in it')
  if (key === '') throw keys.problem(keyKey, 'there is no PEM private key in it')
  return { chain, key, passphrase: keys.text('ssl.key.password') }
}

/** As in Java a store of type JKS may be a PKCS#12 file, which keytool makes by default. */
function storeIdentity(keys: ListenerKeys, readFile: ReadFile): TlsIdentity {
  const pkcs12 = storeOf(keys, 'ssl.keystore.location', readFile)
  if (isJks(pkcs12)) {
    const remedy = 'keytool -importkeystore -srckeystore <file> -destkeystore <file>.p12 -deststoretype PKCS12'
    throw keys.problem(
      'ssl.keystore.location',
      `JKS files cannot be read here: make a PKCS12 file of it with ${remedy}`,
    )
  }
  return { pkcs12, passphrase: keys.text('ssl.keystore.password') }
}

function isJks(store: Uint8Array): boolean {
  return Buffer.from(store.subarray(0, 4)).toString('hex') === JKS_MAGIC
}

/** Undefined where none is set: then those are trusted that the runtime knows, as in Apache Kafka. */
function trustedOf(keys: ListenerKeys, readFile: ReadFile): string | undefined {
  const inline = keys.text('ssl.truststore.certificates')
  const location = keys.text('ssl.truststore.location')
  if (inline === undefined && location === undefined) return undefined
  const key = inline === undefined ? 'ssl.truststore.location' : 'ssl.truststore.certificates'
  if (keys.type('ssl.truststore.type') !== 'PEM') {
    const remedy = 'keytool -exportcert -rfc -keystore <file> -alias <alias> writes a certificate as PEM'
    throw keys.problem('ssl.truststore.type', `not available; allowed: PEM. ${remedy}`)
  }
  if (keys.text('ssl.truststore.password') !== undefined) {
    throw keys.problem('ssl.truststore.password', 'a PEM trust store has none')
  }
  if (inline !== undefined && location !== undefined) {
    throw keys.problem('ssl.truststore.location', 'ssl.truststore.certificates is set as well')
  }
  const trusted = pemCertificates(inline ?? new TextDecoder().decode(storeOf(keys, key, readFile)))
  if (trusted === '') throw keys.problem(key, 'there is no PEM certificate in it')
  return trusted
}

function storeOf(keys: ListenerKeys, key: string, readFile: ReadFile): Uint8Array {
  const path = keys.text(key)
  if (path === undefined) {
    const inline = 'ssl.keystore.type=PEM with ssl.keystore.certificate.chain and ssl.keystore.key'
    throw keys.problem(key, `a listener with SSL needs a certificate: set it, or ${inline}`)
  }
  try {
    return readFile(path)
  } catch (error) {
    throw keys.problem(key, `it cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
