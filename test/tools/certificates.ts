import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'

const DAY_MS = 86_400_000

/** A certificate and its key, both PEM; the key as PKCS#8, which is what Java reads. */
export interface Issued {
  readonly commonName: string
  readonly certificate: string
  readonly key: string
  readonly privateKey: KeyObject
}

export interface CertificateOptions {
  readonly commonName: string
  /** Host names (one may begin with `*.`) and IPv4 addresses. */
  readonly hosts?: readonly string[]
  readonly keyType?: 'ec' | 'rsa'
  readonly notBefore?: Date
  readonly notAfter?: Date
}

/** Makes certificates for tests, each time anew (RFC 5280, in the few parts that TLS looks at). */
export class Authority {
  readonly #self: Issued

  constructor(commonName = 'ottla test authority') {
    this.#self = issue({ commonName })
  }

  /** PEM */
  get certificate(): string {
    return this.#self.certificate
  }

  issue(options: CertificateOptions): Issued {
    return issue(options, this.#self)
  }
}

/** For `localhost` and 127.0.0.1. */
export const LOCAL_HOSTS: readonly string[] = ['localhost', '127.0.0.1']

/** Without an issuer: an authority. */
function issue({ commonName, hosts = [], keyType = 'ec', ...valid }: CertificateOptions, issuer?: Issued): Issued {
  const { publicKey, privateKey } =
    keyType === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
  const signer = issuer?.privateKey ?? privateKey
  const algorithm =
    signer.asymmetricKeyType === 'ec' ? sequence(oid(ECDSA_SHA256)) : sequence(oid(RSA_SHA256), der(0x05))
  const now = Date.now()
  const authorityKey = sequence(der(0x80, keyId(issuer?.privateKey ?? privateKey)))
  const extensions = [
    ...(issuer === undefined ? AUTHORITY : [extension(AUTHORITY_KEY, authorityKey)]),
    extension(SUBJECT_KEY, der(0x04, keyId(privateKey))),
    ...(hosts.length === 0 ? [] : [extension(ALT_NAMES, sequence(...hosts.map(altName)))]),
  ]
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(15)])),
    algorithm,
    distinguishedName(issuer?.commonName ?? commonName),
    sequence(time(valid.notBefore ?? new Date(now - DAY_MS)), time(valid.notAfter ?? new Date(now + 30 * DAY_MS))),
    distinguishedName(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  )
  const signature = der(0x03, Buffer.of(0), sign('sha256', body, signer))
  return {
    commonName,
    certificate: pem('CERTIFICATE', sequence(body, algorithm, signature)),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    privateKey,
  }
}

const ECDSA_SHA256 = '2a8648ce3d040302'
const RSA_SHA256 = '2a864886f70d01010b'
const COMMON_NAME = '550403'
const ALT_NAMES = '551d11'
const SUBJECT_KEY = '551d0e'
const AUTHORITY_KEY = '551d23'

function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content)
  const size = body.length
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.of(tag, ...length), body])
}

function sequence(...content: readonly Buffer[]): Buffer {
  return der(0x30, ...content)
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

function distinguishedName(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid(COMMON_NAME), der(0x0c, Buffer.from(commonName)))))
}

/** UTCTime. */
function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return der(0x17, Buffer.from(digits.slice(2)))
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), der(0x04, value))
}

const TRUE = der(0x01, Buffer.of(0xff))
/** Basic constraints: an authority; key usage: signs certificates. Both critical. */
const AUTHORITY = [
  sequence(oid('551d13'), TRUE, der(0x04, sequence(TRUE))),
  sequence(oid('551d0f'), TRUE, der(0x04, der(0x03, Buffer.of(2, 0x04)))),
]

function keyId(key: KeyObject): Buffer {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return createHash('sha1').update(publicKey).digest()
}

function altName(host: string): Buffer {
  if (isIP(host) === 4) return der(0x87, Buffer.from(host.split('.').map(Number)))
  return der(0x82, Buffer.from(host))
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
