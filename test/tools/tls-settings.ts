import type { TlsSettings } from '../../broker/env/tls.ts'
import type { Issued } from './certificates.ts'

/** What a listener with this certificate speaks TLS with: every version, no certificates of clients. */
export function tlsSettings(issued: Issued, changed: Partial<TlsSettings> = {}): TlsSettings {
  return {
    identity: tlsIdentity(issued),
    trusted: undefined,
    clientAuth: 'none',
    protocols: ['TLSv1.2', 'TLSv1.3'],
    ciphers: [],
    ...changed,
  }
}

export function tlsIdentity({ certificate, key }: Issued): TlsSettings['identity'] {
  return { chain: certificate, key, passphrase: undefined }
}
