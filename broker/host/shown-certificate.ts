import { isIP } from 'node:net'
import type { Address } from '../env/network.ts'
import type { TlsCertificate } from '../env/tls.ts'
import { tls } from './builtins.ts'
import { described } from './tls.ts'

const ANSWER_MS_MAX = 5000

/** What a server shows of itself in TLS, whether it is to be trusted or not: nothing is sent to it. Rejects where it does not answer. */
export function shownCertificate({ host, port }: Address): Promise<TlsCertificate> {
  return new Promise((resolve, reject) => {
    const name = isIP(host) === 0 ? { servername: host } : {}
    const socket = tls().connect({ host, port, ...name, rejectUnauthorized: false }, () => {
      const certificate = socket.getPeerX509Certificate()
      socket.destroy()
      if (certificate === undefined) reject(new Error(`${host}:${port} shows no certificate`))
      else resolve(described(certificate))
    })
    socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy(new Error(`${host}:${port} does not answer in TLS`)))
    socket.on('error', reject)
  })
}
