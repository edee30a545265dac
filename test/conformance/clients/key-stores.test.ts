import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { ConfigError } from '../../../broker/config/config-error.ts'
import { parseServerConfig } from '../../../broker/config/server-config.ts'
import { listenerTls } from '../../../broker/config/tls.ts'
import { NodeTls } from '../../../broker/host/tls.ts'
import { describeWith } from '../../tools/requires.ts'
import { run } from '../../tools/run.ts'

const SERVER: Readonly<Record<string, string>> = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.quorum.voters': '1@localhost:9093',
  listeners: 'PLAINTEXT://:9092,SSL://:9094,CONTROLLER://:9093',
  'controller.listener.names': 'CONTROLLER',
}

describeWith(['java'], "keytool's key stores", () => {
  let directory: string

  const make = (name: string, type: string) =>
    run(
      'keytool',
      `-genkeypair -keystore ${join(directory, name)} -storetype ${type} -storepass hunter2 -alias broker -keyalg EC -dname CN=broker,O=Example -validity 10`.split(
        ' ',
      ),
    )

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'key-stores-'))
    await make('store.p12', 'PKCS12')
    await make('store.jks', 'JKS')
  }, 60_000)

  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  const contextOf = (name: string, password: string, type?: string) => {
    const location = { 'ssl.keystore.location': join(directory, name), 'ssl.keystore.password': password }
    const all = { ...SERVER, ...location, ...(type === undefined ? {} : { 'ssl.keystore.type': type }) }
    const { config } = parseServerConfig(new Map(Object.entries(all)))
    return new NodeTls().context(listenerTls(config, 'SSL', (path) => readFileSync(path)))
  }

  test.each(['PKCS12', 'JKS', undefined])('of type PKCS12 are read, with ssl.keystore.type=%s', (type) => {
    const { certificate } = contextOf('store.p12', 'hunter2', type)
    expect(certificate.subject).toBe('O=Example, CN=broker')
    expect(certificate.notAfterMs - Date.now()).toBeGreaterThan(9 * 86_400_000)
  })

  test('need their password', () => {
    expect(() => contextOf('store.p12', 'hunter3')).toThrow(expect.objectContaining({ part: 'passphrase' }))
  })

  test('of type JKS are refused, with what to do', () => {
    expect(() => contextOf('store.jks', 'hunter2')).toThrow(ConfigError)
    expect(() => contextOf('store.jks', 'hunter2')).toThrow('-deststoretype PKCS12')
  })
})
