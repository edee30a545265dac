import { connect } from 'node:tls'
import type { Address } from '../../broker/env/network.ts'
import type { Issued } from '../tools/certificates.ts'

/** A Secret as cert-manager makes it. */
export function tlsSecret(name: string, { certificate, key }: Issued, authority: string): object {
  const data = Object.entries({ 'tls.crt': certificate, 'tls.key': key, 'ca.crt': authority })
  const encoded = Object.fromEntries(data.map(([file, text]) => [file, Buffer.from(text).toString('base64')]))
  return { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: { name }, data: encoded }
}

/** The common name of the certificate that is shown at `address` for `servername`, to a client that trusts `ca` (PEM). */
export function shownCertificate(address: Address, servername: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...address, servername, ca }, () => {
      const { CN } = socket.getPeerCertificate().subject
      socket.destroy()
      resolve(String(CN))
    })
    socket.on('error', reject)
  })
}
