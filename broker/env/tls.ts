/** A private key and the certificates that prove whose it is: PEM, the listener's own certificate first; or a PKCS#12 file. */
export type TlsIdentity =
  | { readonly chain: string; readonly key: string; readonly passphrase: string | undefined }
  | { readonly pkcs12: Uint8Array; readonly passphrase: string | undefined }

/** Whether clients are asked for a certificate; one that is given must be trusted. */
export type TlsClientAuth = 'none' | 'requested' | 'required'

export type TlsProtocol = 'TLSv1.2' | 'TLSv1.3'

/** What a listener speaks TLS with. */
export interface TlsSettings {
  readonly identity: TlsIdentity
  /** PEM certificates that those of clients must come from; undefined: those that the runtime knows. */
  readonly trusted: string | undefined
  readonly clientAuth: TlsClientAuth
  /** At least one. */
  readonly protocols: readonly TlsProtocol[]
  /** OpenSSL's names; empty: the runtime's choice. */
  readonly ciphers: readonly string[]
}

/** Of an X.509 certificate. */
export interface TlsCertificate {
  /** Distinguished name in one line. */
  readonly subject: string
  readonly issuer: string
  /** Its names for hosts, as `DNS:a, IP Address:b`; empty where it has none. */
  readonly names: string
  /** ms since the epoch */
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

/** Settings that were found to go together, ready for a listener. */
export interface TlsContext {
  /** The listener's own. */
  readonly certificate: TlsCertificate
}

/** Which of the settings does not do. */
export type TlsPart = 'chain' | 'key' | 'passphrase' | 'pkcs12' | 'trusted' | 'ciphers'

/** Settings that no listener can use. The message says why, and holds no secret. */
export class TlsError extends Error {
  readonly code = 'TLS_SETTINGS'
  readonly part: TlsPart
  constructor(part: TlsPart, message: string, cause?: unknown) {
    super(message, { cause })
    this.part = part
  }
}

/** TLS 1.2 and 1.3. */
export interface Tls {
  /** Throws TlsError. */
  context(settings: TlsSettings): TlsContext
}

/** A peer that has sent something, and yet no TLS connection came of it. The message says why, as far as is known. */
export class TlsHandshakeError extends Error {
  readonly code = 'TLS_HANDSHAKE'
}
