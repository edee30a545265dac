import { afterEach, expect, test } from '@jest/globals'
import { nodeEnv } from '../../../../broker/host/env.ts'
import { KAFKA_CLUSTER } from '../../../../operator/api/resource.ts'
import { serveConsole } from '../../../../operator/console.ts'
import { freePorts } from '../../../tools/node.ts'
import { kafkaCluster, kafkaState, operatorWorld } from '../../../fakes/operator.ts'

let open = new AsyncDisposableStack()
afterEach(async () => {
  await open.disposeAsync()
  open = new AsyncDisposableStack()
})

async function served(): Promise<string> {
  const { api } = operatorWorld()
  await api.create(KAFKA_CLUSTER, { ...kafkaCluster() })
  const [port = 0] = await freePorts(1)
  const brokers = { look: async () => kafkaState(), groups: async () => [] }
  const env = nodeEnv()
  open.use(await serveConsole({ host: '127.0.0.1', port, namespaces: null }, { ...env, api, brokers }))
  return `http://127.0.0.1:${port}`
}

test('the page and what it is made of are served, and are allowed nothing from elsewhere', async () => {
  const url = await served()
  const page = await fetch(url)
  const script = await fetch(`${url}/main.ts`)
  expect(page.headers.get('content-security-policy')).toContain("default-src 'self'")
  expect(await page.text()).toContain('<title>Ottla</title>')
  expect(script.headers.get('content-type')).toContain('text/javascript')
  expect(await script.text()).not.toContain('import type')
})

test('the stream begins with the clusters', async () => {
  const url = await served()
  const stop = new AbortController()
  const response = await fetch(`${url}/events`, { signal: stop.signal })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (let part = await reader?.read(); part?.done === false && !text.includes('kafka/orders');) {
    text += part.value
    part = text.includes('kafka/orders') ? part : await reader?.read()
  }
  stop.abort()
  expect(text).toMatch(/event: clusters\ndata: .*"key":"kafka\/orders"/)
})

test.each(['POST', 'PUT', 'DELETE'])('%s is not served: nothing can be changed', async (method) => {
  expect((await fetch(`${await served()}/events`, { method })).status).toBe(404)
})

test('what is not of the page is not found, wherever it is', async () => {
  const url = await served()
  for (const path of ['/package.json', '/..%2f..%2fpackage.json', '/model.ts']) {
    expect((await fetch(`${url}${path}`)).status).toBe(404)
  }
})
