import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { LEASE, POD } from '../../../../operator/api/resource.ts'
import { KubeRest } from '../../../../operator/kube/rest.ts'
import { KubeTransport } from '../../../../operator/kube/transport.ts'

const stop = new AbortController()
/** Answers leases, and nothing else. */
const server = createServer((request, response) => {
  if (request.url?.includes('/leases/') === true) response.end('{"kind":"Lease"}')
})

beforeEach(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)))

afterEach(() => {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(resolve))
})

test('a lease is renewed however many other calls wait for an answer', async () => {
  const { port } = server.address() as AddressInfo
  const transport = new KubeTransport({ server: `http://127.0.0.1:${port}`, options: async () => ({}) })
  const api = new KubeRest({ signal: stop.signal }, { transport })
  const waiting = Array.from({ length: 100 }, () => api.get(POD, 'kafka', 'slow').catch(() => 'stopped'))
  expect(await api.get(LEASE, 'ops', 'ottla-operator')).toEqual({ kind: 'Lease' })
  stop.abort(new Error('done'))
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['stopped']))
})
