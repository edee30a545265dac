import type { TlsSettings } from '../../broker/env/tls.ts'
import type { Issued } from './certificates.ts'

/** server.properties of a node with a listener TLS, which has no certificate yet. */
export const TLS_SERVER = `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:9093
listeners=PLAINTEXT://127.0.0.1:9092,TLS://127.0.0.1:9094,CONTROLLER://127.0.0.1:9093
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,TLS:SSL,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
`

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
