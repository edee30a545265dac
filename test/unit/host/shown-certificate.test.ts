import { createServer as createPlainServer, type AddressInfo, type Server } from 'node:net'
import { createServer } from 'node:tls'
import { expect, test } from '@jest/globals'
import { shownCertificate } from '../../../broker/host/shown-certificate.ts'
import { Authority } from '../../tools/certificates.ts'

async function listening(server: Server): Promise<AsyncDisposable & { readonly port: number }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { port, [Symbol.asyncDispose]: () => new Promise((resolve) => void server.close(() => resolve())) }
}

test('a certificate that nobody trusts is told all the same', async () => {
  const notAfter = new Date('2031-02-03T04:05:06Z')
  const { certificate, key } = new Authority().issue({ commonName: 'broker', hosts: ['other.example.org'], notAfter })
  await using server = await listening(createServer({ cert: certificate, key }))
  const shown = await shownCertificate({ host: '127.0.0.1', port: server.port })
  expect(shown).toMatchObject({ subject: 'CN=broker', notAfterMs: notAfter.getTime() })
})

test('who does not speak TLS shows none', async () => {
  await using server = await listening(createPlainServer((socket) => void socket.resume().end('hello, who are you?')))
  await expect(shownCertificate({ host: '127.0.0.1', port: server.port })).rejects.toThrow(
    /wrong version|packet length/,
  )
})

test('nobody there is no certificate', async () => {
  const { port } = await (async () => {
    await using server = await listening(createPlainServer())
    return { port: server.port }
  })()
  await expect(shownCertificate({ host: '127.0.0.1', port })).rejects.toThrow('ECONNREFUSED')
})
