import { expect, test } from '@jest/globals'
import type { TlsSettings } from '../../../broker/env/tls.ts'
import { NodeTls } from '../../../broker/host/tls.ts'
import { Authority, LOCAL_HOSTS } from '../../tools/certificates.ts'
import { tlsIdentity, tlsSettings } from '../../tools/tls-settings.ts'

const authority = new Authority()
const broker = authority.issue({ commonName: 'broker', hosts: LOCAL_HOSTS })
const context = new NodeTls()

const settings = (changed: Partial<TlsSettings> = {}): TlsSettings => tlsSettings(broker, changed)

const rsa = authority.issue({ commonName: 'rsa', hosts: LOCAL_HOSTS, keyType: 'rsa' })

test('settings tell of the certificate', () => {
  const notAfter = new Date('2031-02-03T04:05:06Z')
  const issued = authority.issue({ commonName: 'kafka', hosts: ['*.example.com'], notAfter })
  const { certificate } = context.context(settings({ identity: tlsIdentity(issued) }))
  expect(certificate).toMatchObject({
    subject: 'CN=kafka',
    issuer: 'CN=ottla test authority',
    names: 'DNS:*.example.com',
    notAfterMs: notAfter.getTime(),
  })
})

test.each([
  ['PKCS#1', rsa, rsa.privateKey.export({ type: 'pkcs1', format: 'pem' })],
  ['SEC1', broker, broker.privateKey.export({ type: 'sec1', format: 'pem' })],
  ['PKCS#8', rsa, rsa.key],
])('settings take a key in %s', (_format, issued, key) => {
  const { certificate } = context.context(
    settings({ identity: { chain: issued.certificate, key: String(key), passphrase: undefined } }),
  )
  expect(certificate.subject).toBe(`CN=${issued.commonName}`)
})

const encrypted = String(
  rsa.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' }),
)

test('settings take an encrypted key with its passphrase', () => {
  const own = { chain: rsa.certificate, key: encrypted, passphrase: 'secret' }
  expect(context.context(settings({ identity: own })).certificate.subject).toBe('CN=rsa')
})

test.each([
  ['no certificate', { chain: '', key: rsa.key }, 'chain', 'no certificate'],
  ['a broken certificate', { chain: broken(rsa.certificate), key: rsa.key }, 'chain', 'certificate 1'],
  ['the key of another certificate', { chain: rsa.certificate, key: broker.key }, 'key', 'CN=rsa'],
  ['something that is no key', { chain: rsa.certificate, key: rsa.certificate }, 'key', 'cannot be read'],
  ['an encrypted key without a passphrase', { chain: rsa.certificate, key: encrypted }, 'passphrase', 'encrypted'],
  [
    'a wrong passphrase',
    { chain: rsa.certificate, key: encrypted, passphrase: 'hunter2' },
    'passphrase',
    'cannot be decrypted',
  ],
  ['something that is no PKCS#12', { pkcs12: Buffer.from('hello') }, 'pkcs12', 'no PKCS#12 file'],
])('settings are refused with %s', (_what, own, part, words) => {
  const refused = refusal(settings({ identity: { passphrase: undefined, ...own } as TlsSettings['identity'] }))
  expect(refused).toMatchObject({ part, message: expect.stringContaining(words) })
  expect(String(refused)).not.toContain('hunter2')
})

test('settings are refused with trusted certificates that are none', () => {
  expect(refusal(settings({ trusted: 'hello' }))).toMatchObject({ part: 'trusted' })
})

test('settings are refused with cipher suites that are not there', () => {
  expect(refusal(settings({ ciphers: ['NOT-THERE'] }))).toMatchObject({ part: 'ciphers' })
})

function refusal(refused: TlsSettings): unknown {
  try {
    return context.context(refused)
  } catch (error) {
    return error
  }
}

function broken(pem: string): string {
  return pem.replace(/\n[A-Za-z0-9+/]{10}/, '\nAAAAAAAAAA')
}

// Node would trust the issuers that are in the file.
test.each(['requested', 'required'] as const)('a PKCS#12 file is refused where a certificate is %s', (clientAuth) => {
  const own = { pkcs12: Buffer.from('store'), passphrase: 'secret' }
  const refused = refusal(settings({ identity: own, clientAuth, trusted: authority.certificate }))
  expect(refused).toMatchObject({ part: 'pkcs12', message: expect.stringContaining('openssl pkcs12') })
})
