import { randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { Producer, stringSerializers } from '@platformatic/kafka'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import kafkajs, { type KafkaConfig } from 'kafkajs'
import { Authority, LOCAL_HOSTS } from '../../tools/certificates.ts'
import { type JavaTools, startJavaTools } from '../../tools/java-tool.ts'
import { describeWith } from '../../tools/requires.ts'
import { run } from '../../tools/run.ts'
import { startTarget } from '../../tools/target.ts'
import { startTlsNode, type TlsNode } from '../../tools/tls-node.ts'
import { installPackages } from '../setup/setup.ts'

installPackages(['kcat'])

const RECORD_BYTES = 500_000
const RECORDS = 20
const { ConfigResourceTypes, Kafka, logLevel } = kafkajs

let tls: TlsNode

beforeAll(async () => {
  tls = await startTlsNode({
    start: startTarget,
    overrides: { 'auto.create.topics.enable': 'true' },
  })
}, 900_000)

afterAll(() => tls?.stop())

describe('kafkajs', () => {
  type Ssl = NonNullable<KafkaConfig['ssl']>

  const kafka = (listener: string, ssl: Ssl, retries = 5) =>
    new Kafka({
      brokers: [tls.bootstrap(listener)],
      ssl,
      logLevel: logLevel.NOTHING,
      connectionTimeout: 5000,
      retry: { retries },
    })

  const topicsOf = async (listener: string, ssl: Ssl): Promise<string[]> => {
    const admin = kafka(listener, ssl, 0).admin()
    try {
      await admin.connect()
      return await admin.listTopics()
    } finally {
      await admin.disconnect()
    }
  }

  test('gets megabytes back as it sent them', async () => {
    const topic = 'large'
    const client = kafka('TLS', { ca: [tls.authority.certificate] })
    const values = Array.from({ length: RECORDS }, () => randomBytes(RECORD_BYTES))
    const producer = client.producer()
    await producer.connect()
    for (const value of values) await producer.send({ topic, messages: [{ value }] })
    await producer.disconnect()
    const consumer = client.consumer({ groupId: 'large' })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    const read: Buffer[] = []
    await new Promise<void>((resolve, reject) => {
      const eachMessage = ({ message }: { message: { value: Buffer | null } }) => {
        read.push(message.value ?? Buffer.alloc(0))
        if (read.length === RECORDS) resolve()
        return Promise.resolve()
      }
      consumer.run({ eachMessage }).catch(reject)
    })
    await consumer.disconnect()
    expect(Buffer.compare(Buffer.concat(read), Buffer.concat(values))).toBe(0)
  }, 120_000)

  test('does not trust a broker of another authority, nor one that goes by another name', async () => {
    const stranger = { ca: [new Authority().certificate] }
    await expect(topicsOf('TLS', stranger)).rejects.toThrow(/unable to (verify|get)|self.signed/)
    const misnamed = { ca: [tls.authority.certificate], servername: 'kafka.example.com' }
    await expect(topicsOf('TLS', misnamed)).rejects.toThrow('kafka.example.com')
  })

  test('is let in with a certificate where one is required, and with none or a foreign one it is not', async () => {
    const ca = [tls.authority.certificate]
    const { certificate: cert, key } = tls.client
    expect(await topicsOf('MUTUAL', { ca, cert, key })).toContain('large')
    await expect(topicsOf('MUTUAL', { ca })).rejects.toBeInstanceOf(Error)
    const stranger = new Authority().issue({ commonName: 'client' })
    await expect(topicsOf('MUTUAL', { ca, cert: stranger.certificate, key: stranger.key })).rejects.toBeInstanceOf(
      Error,
    )
  })
})

test('a certificate that is set at run time is that of the next connection', async () => {
  const [host = '', port = ''] = tls.bootstrap('TLS').split(':')
  const serial = async (): Promise<string> => {
    const socket = connect({ host, port: Number(port), ca: tls.authority.certificate })
    await once(socket, 'secureConnect')
    const { serialNumber } = socket.getPeerCertificate()
    socket.destroy()
    return serialNumber
  }
  const { certificate, key } = tls.authority.issue({ commonName: 'broker', hosts: LOCAL_HOSTS, keyType: 'rsa' })
  const prefix = 'listener.name.tls.ssl.keystore'
  const configEntries = [
    { name: `${prefix}.certificate.chain`, value: certificate },
    { name: `${prefix}.key`, value: key },
  ]
  const admin = new Kafka({ brokers: [tls.node.bootstrap], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const resources = [{ type: ConfigResourceTypes.BROKER, name: '1', configEntries }]
  await admin.alterConfigs({ validateOnly: false, resources })
  await admin.disconnect()
  await expect(eventually(serial, new X509Certificate(certificate).serialNumber)).resolves.toBeUndefined()
}, 60_000)

/** Resolves when `read` gives `expected`; as long as it does not the test goes on. */
async function eventually(read: () => Promise<string>, expected: string): Promise<void> {
  while ((await read()) !== expected);
}

test('@platformatic/kafka writes', async () => {
  const [host = '', port = ''] = tls.bootstrap('TLS').split(':')
  const producer = new Producer({
    clientId: 'platformatic',
    bootstrapBrokers: [{ host, port: Number(port) }],
    serializers: stringSerializers,
    autocreateTopics: true,
    tls: { ca: tls.authority.certificate },
    tlsServerName: true,
  })
  const { offsets } = await producer.send({ messages: [{ topic: 'platformatic', value: 'x' }] })
  await producer.close()
  expect(offsets?.map(({ offset }) => offset)).toEqual([0n])
})

describeWith(['kcat'], 'kcat', () => {
  const kcat = async (listener: string, args: readonly string[], input = ''): Promise<string> => {
    const trusting = ['-X', 'security.protocol=ssl', '-X', `ssl.ca.location=${tls.authorityFile}`]
    const options = ['-q', '-b', tls.bootstrap(listener), ...trusting, ...args]
    return (await run('kcat', options, { input, timeoutMs: 30_000 })).stdout
  }
  const lines = Array.from({ length: 10_000 }, (_, index) => `${index}\n`).join('')

  test('writes and reads', async () => {
    await kcat('TLS', ['-P', '-t', 'kcat'], lines)
    expect(await kcat('TLS', ['-C', '-t', 'kcat', '-o', 'beginning', '-c', '10000'])).toBe(lines)
  })

  test('shows its certificate where one is required', async () => {
    const own = ['-X', `ssl.certificate.location=${tls.clientFile}`, '-X', `ssl.key.location=${tls.clientFile}`]
    expect(await kcat('MUTUAL', ['-L', ...own])).toContain('topic "kcat"')
    await expect(kcat('MUTUAL', ['-L', '-m', '2'])).rejects.toThrow('Failed to acquire metadata')
  })
})

describeWith(['java', 'mvn'], "Apache's tools", () => {
  let java: JavaTools

  beforeAll(async () => {
    java = await startJavaTools()
  }, 900_000)

  afterAll(() => java?.close())

  /** A file with the client's settings. */
  const settings = (name: string, ssl: Readonly<Record<string, string>>): string => {
    const path = join(tls.node.directory, `${name}.properties`)
    const all = { 'truststore.type': 'PEM', 'truststore.location': tls.authorityFile, ...ssl }
    const rows = Object.entries(all).map(([key, value]) => `ssl.${key}=${value}\n`)
    writeFileSync(path, `security.protocol=SSL\nretries=0\n${rows.join('')}`)
    return path
  }

  const call = (tool: string, listener: string, file: string, args: readonly string[], input?: string) =>
    java.call(
      `org.apache.kafka.tools.${tool}`,
      ['--bootstrap-server', tls.bootstrap(listener), '--command-config', file, ...args],
      input,
    )

  test.each(['TLSv1.2', 'TLSv1.3'])(
    'write and read over %s',
    async (protocol) => {
      const topic = `java-${protocol}`
      const file = settings('trusting', { 'enabled.protocols': protocol, protocol })
      expect(await call('ConsoleProducer', 'TLS', file, ['--topic', topic], 'a\nb\nc\n')).toMatchObject({ code: 0 })
      const read = ['--topic', topic, '--from-beginning', '--max-messages', '3', '--timeout-ms', '20000']
      expect(await call('consumer.ConsoleConsumer', 'TLS', file, read)).toMatchObject({ code: 0, out: 'a\nb\nc\n' })
    },
    60_000,
  )

  test('show their certificate where one is required', async () => {
    const file = settings('certified', { 'keystore.type': 'PEM', 'keystore.location': tls.clientFile })
    const { code, out } = await call('TopicCommand', 'MUTUAL', file, ['--list'])
    expect({ code, topics: out.split('\n') }).toEqual({ code: 0, topics: expect.arrayContaining(['java-TLSv1.3']) })
    expect(await call('TopicCommand', 'MUTUAL', settings('trusting', {}), ['--list'])).toMatchObject({ code: 1 })
  }, 60_000)

  test('do not trust a broker of another authority', async () => {
    const stranger = join(tls.node.directory, 'stranger.pem')
    writeFileSync(stranger, new Authority().certificate)
    const file = settings('distrusting', { 'truststore.location': stranger })
    const result = await call('TopicCommand', 'TLS', file, ['--list'])
    expect(result.code).not.toBe(0)
    expect(result.out + result.err).toContain('SSL handshake failed')
  }, 60_000)
})

test('the broker is still running', () => expect(tls.node.running()).toBe(true))
