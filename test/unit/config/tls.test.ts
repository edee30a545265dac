import { describe, expect, test } from '@jest/globals'
import { opensslCipher } from '../../../broker/config/cipher-suites.ts'
import { ConfigError } from '../../../broker/config/config-error.ts'
import { describeBroker } from '../../../broker/config/describe.ts'
import { pemBlocks } from '../../../broker/config/pem.ts'
import { parseProperties } from '../../../broker/config/properties.ts'
import { parseServerConfig } from '../../../broker/config/server-config.ts'
import { listenerTls, tlsProblem } from '../../../broker/config/tls.ts'
import { TlsError, type TlsPart, type TlsSettings } from '../../../broker/env/tls.ts'
import { TLS_SERVER } from '../../tools/tls-settings.ts'

const CHAIN = pem('CERTIFICATE', 'Y2hhaW4=')
const OTHER = pem('CERTIFICATE', 'b3RoZXI=')
const KEY = pem('EC PRIVATE KEY', 'a2V5')
const PEM_KEYS = { type: 'PEM', 'certificate.chain': CHAIN, key: KEY }
const FILES: Readonly<Record<string, string>> = {
  '/tls/both.pem': `# mine\n${KEY}${CHAIN}${OTHER}`,
  '/tls/chain.pem': CHAIN,
  '/tls/ca.pem': OTHER,
  '/tls/store.p12': '0store',
}

function pem(label: string, body: string): string {
  return `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`
}

function parse(properties: Readonly<Record<string, string>>) {
  return parseServerConfig(parseProperties(TLS_SERVER), new Map(Object.entries(properties))).config
}

/** `keys` of the listener TLS, without `ssl.`. */
function read(keys: Readonly<Record<string, string>>, general: Readonly<Record<string, string>> = {}): TlsSettings {
  const own = Object.entries(keys).map(([key, value]): [string, string] => [`listener.name.tls.ssl.${key}`, value])
  return listenerTls(parse({ ...general, ...Object.fromEntries(own) }), 'TLS', readFile)
}

function readFile(path: string): Uint8Array {
  if (path === '/tls/store.jks') return Uint8Array.of(0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2)
  const text = FILES[path]
  if (text === undefined) throw new Error(`ENOENT: ${path}`)
  return new TextEncoder().encode(text)
}

const keystore = (keys: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(keys).map(([key, value]) => [`keystore.${key}`, value]))

describe('a listener with SSL has', () => {
  test('a certificate and a key as PEM values', () => {
    expect(read(keystore(PEM_KEYS))).toEqual({
      identity: { chain: CHAIN, key: KEY, passphrase: undefined },
      trusted: undefined,
      clientAuth: 'none',
      protocols: ['TLSv1.2', 'TLSv1.3'],
      ciphers: [],
    })
  })

  test('both in one PEM file', () => {
    const settings = read({ ...keystore({ type: 'PEM', location: '/tls/both.pem' }), 'key.password': 'secret' })
    expect(settings.identity).toEqual({ chain: CHAIN + OTHER, key: KEY, passphrase: 'secret' })
  })

  test.each(['PKCS12', 'pkcs12', 'JKS'])('a PKCS#12 file, which may be said to be %s as in Java', (type) => {
    const settings = read(keystore({ type, location: '/tls/store.p12', password: 'secret' }))
    expect(settings.identity).toEqual({ pkcs12: readFile('/tls/store.p12'), passphrase: 'secret' })
  })

  test('what is set for all listeners, where it has nothing of its own', () => {
    const general = {
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': '/tls/both.pem',
      'ssl.client.auth': 'required',
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': '/tls/ca.pem',
    }
    expect(read({}, general)).toMatchObject({ clientAuth: 'required', trusted: OTHER })
    expect(read({ 'client.auth': 'none' }, general)).toMatchObject({ clientAuth: 'none', trusted: undefined })
  })

  test('certificates to trust as a PEM value', () => {
    const trusting = { 'client.auth': 'requested', 'truststore.type': 'PEM', 'truststore.certificates': CHAIN + OTHER }
    expect(read({ ...keystore(PEM_KEYS), ...trusting })).toMatchObject({
      trusted: CHAIN + OTHER,
      clientAuth: 'requested',
    })
  })

  test('versions and cipher suites by the names of Java', () => {
    const suites = 'TLS_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'
    expect(read({ ...keystore(PEM_KEYS), 'enabled.protocols': 'TLSv1.3', 'cipher.suites': suites })).toMatchObject({
      protocols: ['TLSv1.3'],
      ciphers: ['TLS_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
    })
  })
})

describe('a listener with SSL is refused', () => {
  const PREFIX = 'listener.name.tls.ssl.'

  test.each<[string, Record<string, string>, string, string]>([
    ['without a certificate', {}, 'keystore.location', 'needs a certificate'],
    ['without its key', keystore({ type: 'PEM', 'certificate.chain': CHAIN }), 'keystore.key', 'no PEM private key'],
    ['without its chain', keystore({ type: 'PEM', key: KEY }), 'keystore.certificate.chain', 'no PEM certificate'],
    ['with PEM of type JKS', keystore({ 'certificate.chain': CHAIN, key: KEY }), 'keystore.type', 'for PEM only'],
    [
      'with value and file at once',
      keystore({ ...PEM_KEYS, location: '/tls/both.pem' }),
      'keystore.location',
      'as well',
    ],
    [
      'with a password of a PEM store',
      keystore({ ...PEM_KEYS, password: 'hunter2' }),
      'keystore.password',
      'a PEM key store has none',
    ],
    ['with a file that is not there', keystore({ type: 'PEM', location: '/no' }), 'keystore.location', 'ENOENT'],
    [
      'with a file that lacks the key',
      keystore({ type: 'PEM', location: '/tls/chain.pem' }),
      'keystore.location',
      'no PEM private key',
    ],
    ['with a JKS file', keystore({ location: '/tls/store.jks' }), 'keystore.location', 'keytool -importkeystore'],
    ['with another format', keystore({ type: 'BKS', location: '/x' }), 'keystore.type', 'allowed: PEM, PKCS12'],
    [
      'with a variable that was not resolved',
      keystore({ ...PEM_KEYS, key: '${dir:/tls:tls.key}' }),
      'keystore.key',
      '${dir:/tls:tls.key}',
    ],
    [
      'with versions that are too old',
      { ...keystore(PEM_KEYS), 'enabled.protocols': 'TLSv1.1,TLSv1.2' },
      'enabled.protocols',
      'TLSv1.1 is not available',
    ],
    [
      'with an unknown cipher suite',
      { ...keystore(PEM_KEYS), 'cipher.suites': 'TLS_RSA_WITH_RC4_128_SHA' },
      'cipher.suites',
      'there is no TLS_RSA_WITH_RC4_128_SHA',
    ],
    [
      'with a trust store that is not PEM',
      { ...keystore(PEM_KEYS), 'client.auth': 'required', 'truststore.location': '/tls/ca.jks' },
      'truststore.type',
      'keytool -exportcert',
    ],
    [
      'with nobody to trust in the trust store',
      { ...keystore(PEM_KEYS), 'client.auth': 'required', 'truststore.type': 'PEM', 'truststore.certificates': KEY },
      'truststore.certificates',
      'no PEM certificate',
    ],
  ])('%s', (_what, keys, key, words) => {
    const { problems } = refusal(() => read(keys))
    expect(problems.map((problem) => problem.key)).toEqual([`${PREFIX}${key}`])
    expect(problems[0]?.message).toContain(`for configuration ${PREFIX}${key}: `)
    expect(problems[0]?.message).toContain(words)
    expect(problems[0]?.message).not.toMatch(/hunter2|a2V5/)
  })

  test('by the name of the key that is set', () => {
    const general = { 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': '/no' }
    expect(refusal(() => read({}, general)).problems[0]?.key).toBe('ssl.keystore.location')
  })

  test.each<[TlsPart, Record<string, string>, string]>([
    ['key', keystore(PEM_KEYS), 'keystore.key'],
    ['chain', keystore(PEM_KEYS), 'keystore.certificate.chain'],
    ['passphrase', keystore(PEM_KEYS), 'key.password'],
    ['key', keystore({ type: 'PEM', location: '/tls/both.pem' }), 'keystore.location'],
    ['pkcs12', keystore({ location: '/tls/store.p12' }), 'keystore.location'],
    ['passphrase', keystore({ location: '/tls/store.p12' }), 'keystore.password'],
    ['trusted', { 'truststore.certificates': CHAIN }, 'truststore.certificates'],
    ['trusted', { 'truststore.location': '/tls/ca.pem' }, 'truststore.location'],
    ['ciphers', {}, 'cipher.suites'],
  ])('by the key that the %s came from', (part, keys, key) => {
    const named = Object.fromEntries(Object.entries(keys).map(([name, value]) => [`${PREFIX}${name}`, value]))
    const { problems } = tlsProblem(parse(named), 'TLS', new TlsError(part, 'it is no good'))
    expect(problems[0]?.key).toBe(`${PREFIX}${key}`)
    expect(problems[0]?.message).toContain('it is no good')
  })

  function refusal(what: () => unknown): ConfigError {
    try {
      what()
    } catch (error) {
      if (error instanceof ConfigError) return error
      throw error
    }
    throw new Error('it was not refused')
  }
})

test.each([
  ['the controllers', 'TLS:PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:SSL', 'CONTROLLER:SSL'],
  ['brokers among themselves', 'TLS:PLAINTEXT,PLAINTEXT:SSL,CONTROLLER:PLAINTEXT', 'PLAINTEXT:SSL'],
  ['clients with SASL', 'TLS:SASL_SSL,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT', 'TLS:SASL_SSL'],
])('SSL of %s is refused as long as it is not there', (_who, map, part) => {
  expect(() => parse({ 'listener.security.protocol.map': map })).toThrow(part)
})

test('a private key is told to nobody', () => {
  const config = parse({ 'listener.name.tls.ssl.keystore.key': KEY, 'ssl.keystore.key': KEY })
  const told = describeBroker(config).filter(({ name }) => name.endsWith('ssl.keystore.key'))
  expect(told.map(({ value, isSensitive }) => ({ value, isSensitive }))).toEqual([
    { value: null, isSensitive: true },
    { value: null, isSensitive: true },
  ])
  expect(JSON.stringify(describeBroker(config))).not.toContain('a2V5')
})

describe('PEM', () => {
  const LONG = 'QUJD'.repeat(40)

  test('may stand on one line, as in a value of server.properties', () => {
    const [block] = pemBlocks(`-----BEGIN CERTIFICATE----- ${LONG} -----END CERTIFICATE-----`)
    expect(block?.text.split('\n').map(({ length }) => length)).toEqual([27, 64, 64, 32, 25, 0])
  })

  test('keeps the headers of an encrypted key', () => {
    const headers = 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00'
    const text = `-----BEGIN RSA PRIVATE KEY-----\n${headers}\n\nQUJD\n-----END RSA PRIVATE KEY-----\n`
    expect(pemBlocks(text)).toEqual([{ label: 'RSA PRIVATE KEY', text }])
  })

  test('may have blocks without a line between them', () => {
    const text = `${pem('A KEY', 'QUJD')}${pem('B', 'QUJD')}`
    expect(pemBlocks(text.replaceAll('\n', '')).map((block) => block.text)).toEqual([
      pem('A KEY', 'QUJD'),
      pem('B', 'QUJD'),
    ])
  })

  test('of which a block has another end, or what is not base64, has the others', () => {
    const text = `${pem('A', '!')}-----BEGIN A-----\nQUJD\n-----END B-----\n-----BEGIN A-----\n${pem('B', 'QUJD')}`
    expect(pemBlocks(text).map((block) => block.text)).toEqual([pem('B', 'QUJD')])
  })

  test('without an end is nothing', () => {
    expect(pemBlocks(`-----BEGIN CERTIFICATE-----\n${LONG}\n`)).toEqual([])
  })
})

test('a cipher suite is not looked for beyond the table', () => {
  expect(opensslCipher('constructor')).toBeUndefined()
})
