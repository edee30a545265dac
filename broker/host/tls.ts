import type { X509Certificate } from 'node:crypto'
import type { SecureContext, SecureContextOptions } from 'node:tls'
import { type Tls, type TlsCertificate, type TlsContext, TlsError, type TlsPart, type TlsSettings } from '../env/tls.ts'
import { crypto, tls } from './builtins.ts'

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Sessions are resumed only where they began: with the same context. OpenSSL wants a name where clients have certificates. */
const SESSION_ID_CONTEXT = 'ottla'

/** A context of OpenSSL, and what the handshake has to be told besides. */
export class NodeTlsContext implements TlsContext {
  readonly certificate: TlsCertificate
  readonly secureContext: SecureContext
  readonly clientAuth: TlsSettings['clientAuth']

  constructor(certificate: TlsCertificate, secureContext: SecureContext, clientAuth: TlsSettings['clientAuth']) {
    this.certificate = certificate
    this.secureContext = secureContext
    this.clientAuth = clientAuth
  }
}

/** OpenSSL, as Node has it. */
export class NodeTls implements Tls {
  context(settings: TlsSettings): NodeTlsContext {
    const { identity, clientAuth } = settings
    if ('pkcs12' in identity && clientAuth !== 'none') throw trustsTooMuch()
    const own = 'pkcs12' in identity ? undefined : checkedIdentity(identity)
    const trusted = settings.trusted === undefined ? undefined : trustedCertificates(settings.trusted)
    const secureContext = newContext('pkcs12' in identity ? 'pkcs12' : 'chain', {
      ...('pkcs12' in identity ? { pfx: Buffer.from(identity.pkcs12) } : { cert: identity.chain, key: identity.key }),
      ...(identity.passphrase === undefined ? {} : { passphrase: identity.passphrase }),
      ...(trusted === undefined ? {} : { ca: trusted }),
      // As the JVM does: whatever is in the trust store is an anchor, an intermediate authority too.
      allowPartialTrustChain: true,
      minVersion: settings.protocols.includes('TLSv1.2') ? 'TLSv1.2' : 'TLSv1.3',
      maxVersion: settings.protocols.includes('TLSv1.3') ? 'TLSv1.3' : 'TLSv1.2',
      dhparam: 'auto',
      sessionIdContext: SESSION_ID_CONTEXT,
      // As Apache Kafka: who wants new keys connects anew.
      secureOptions: crypto().constants.SSL_OP_NO_RENEGOTIATION,
      ...(settings.ciphers.length === 0 ? {} : { ciphers: settings.ciphers.join(':') }),
    })
    return new NodeTlsContext(described(own ?? loadedCertificate(secureContext)), secureContext, clientAuth)
  }
}

/** The listener's certificate, when the chain can be read and the key is its. */
function checkedIdentity(identity: { chain: string; key: string; passphrase: string | undefined }): X509Certificate {
  const [leaf] = certificatesOf(identity.chain, 'chain')
  if (leaf === undefined) throw new TlsError('chain', 'it has no certificate')
  const key = privateKey(identity.key, identity.passphrase)
  if (!leaf.checkPrivateKey(key)) {
    throw new TlsError('key', `it is not the private key of the first certificate, ${oneLine(leaf.subject)}`)
  }
  return leaf
}

function privateKey(key: string, passphrase: string | undefined) {
  try {
    return crypto().createPrivateKey({ key, ...(passphrase === undefined ? {} : { passphrase }) })
  } catch (error) {
    // What OpenSSL says depends on what a wrong passphrase happens to decrypt to.
    if (key.includes('ENCRYPTED')) {
      const why =
        passphrase === undefined ? 'the key is encrypted, and needs one' : 'the key cannot be decrypted with it'
      throw new TlsError('passphrase', why, error)
    }
    throw new TlsError('key', `it cannot be read: ${reasonOf(error)}`, error)
  }
}

function trustedCertificates(pem: string): string[] {
  const trusted = certificatesOf(pem, 'trusted')
  if (trusted.length === 0) throw new TlsError('trusted', 'there is no certificate in it')
  return trusted.map(String)
}

function certificatesOf(pem: string, part: TlsPart): X509Certificate[] {
  const { X509Certificate: Certificate } = crypto()
  return [...pem.matchAll(PEM_CERTIFICATE)].map(([text], index) => {
    try {
      return new Certificate(text)
    } catch (error) {
      throw new TlsError(part, `certificate ${index + 1} cannot be read: ${reasonOf(error)}`, error)
    }
  })
}

function newContext(part: 'pkcs12' | 'chain', options: SecureContextOptions): SecureContext {
  try {
    return tls().createSecureContext(options)
  } catch (error) {
    const reason = reasonOf(error)
    if (/no cipher match|ciphers/i.test(reason)) throw new TlsError('ciphers', 'none of them is there', error)
    if (part === 'pkcs12') throw pkcs12Error(reason, error)
    throw new TlsError(part, reason, error)
  }
}

/** Node takes the issuers that are in a PKCS#12 file for trusted: their other customers would be let in. */
function trustsTooMuch(): TlsError {
  const remedy = '`openssl pkcs12 -in <file> -nodes -out <file>.pem`'
  const why = 'a PKCS#12 file cannot be used where clients have certificates'
  return new TlsError('pkcs12', `${why}; make a PEM key store of it with ${remedy}, and set ssl.keystore.type=PEM`)
}

function pkcs12Error(reason: string, cause: unknown): TlsError {
  if (/mac verify/i.test(reason)) return new TlsError('passphrase', 'it does not open the key store', cause)
  if (/unsupported/i.test(reason)) {
    const remedy = 'make it anew with keytool of Java 17 or later, or with openssl 3'
    return new TlsError('pkcs12', `it is encrypted as keytool did before Java 17: ${remedy}`, cause)
  }
  return new TlsError('pkcs12', `it is no PKCS#12 file with a private key and its certificate: ${reason}`, cause)
}

/** What is not documented: the handle of a context, and the certificate that it was given, as DER. */
function loadedCertificate(context: SecureContext): X509Certificate {
  const handle: unknown = Reflect.get(context, 'context')
  const read: unknown =
    typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'getCertificate') : undefined
  const der: unknown = typeof read === 'function' ? Reflect.apply(read, handle, []) : undefined
  if (!(der instanceof Uint8Array)) throw new TlsError('pkcs12', 'there is no private key with its certificate in it')
  return new (crypto().X509Certificate)(der)
}

/** What there is to say of a certificate. */
export function described(certificate: X509Certificate): TlsCertificate {
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    names: certificate.subjectAltName ?? '',
    notBeforeMs: certificate.validFromDate.getTime(),
    notAfterMs: certificate.validToDate.getTime(),
  }
}

function oneLine(name: string): string {
  return name.split('\n').join(', ')
}

/** OpenSSL's reason without its numbers and function names. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message
}
