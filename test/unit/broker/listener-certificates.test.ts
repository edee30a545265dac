import { expect, test } from '@jest/globals'
import { parseProperties } from '../../../broker/config/properties.ts'
import { parseServerConfig, type ServerConfig, withDynamicConfigs } from '../../../broker/config/server-config.ts'
import { NodeTls } from '../../../broker/host/tls.ts'
import { ListenerCertificates } from '../../../broker/listener-certificates.ts'
import { SimClock } from '../../fakes/clock.ts'
import { MemoryLogger } from '../../fakes/logger.ts'
import { Authority, type CertificateOptions, type Issued } from '../../tools/certificates.ts'
import { TLS_SERVER } from '../../tools/tls-settings.ts'

const SERVER = `${TLS_SERVER}config.providers=dir
config.providers.dir.class=org.apache.kafka.common.config.provider.DirectoryConfigProvider
listener.name.tls.ssl.keystore.type=PEM
listener.name.tls.ssl.keystore.certificate.chain=\${dir:/tls:tls.crt}
listener.name.tls.ssl.keystore.key=\${dir:/tls:tls.key}
`
const LOOK_MS = 60_000
const authority = new Authority()

function issue(commonName: string, options: Partial<CertificateOptions> = {}): Issued {
  // The clock of these tests begins in 2023 or so.
  return authority.issue({ commonName, notBefore: new Date(0), ...options })
}

/** The listener TLS of a broker, whose certificate is a Secret in /tls. */
class Setup {
  readonly clock = new SimClock()
  readonly logger = new MemoryLogger()
  readonly files = new Map<string, string>()
  readonly #certificates: ListenerCertificates
  #config: ServerConfig

  constructor(first: Issued) {
    this.write(first)
    const disk = {
      readFile: (path: string) => {
        const text = this.files.get(path)
        if (text === undefined) throw new Error(`ENOENT: ${path}`)
        return new TextEncoder().encode(text)
      },
    }
    this.#config = parseServerConfig(parseProperties(SERVER), undefined, { ...disk, environment: {} }).config
    const deps = { tls: new NodeTls(), disk, clock: this.clock, logger: this.logger }
    this.#certificates = new ListenerCertificates(() => this.#config, deps)
  }

  write({ certificate, key }: { readonly certificate: string; readonly key: string }): void {
    this.files.set('/tls/tls.crt', certificate)
    this.files.set('/tls/tls.key', key)
  }

  setDynamically(key: string, value: string): void {
    const perBroker = new Map([[`listener.name.tls.ssl.${key}`, value]])
    this.#config = withDynamicConfigs(this.#config, { perBroker, clusterWide: new Map() })
    this.#certificates.reconfigure()
  }

  async look(times = 1): Promise<void> {
    await this.clock.run(times * LOOK_MS)
  }

  get subject(): string | undefined {
    return this.#certificates.contextOf('TLS')?.().certificate.subject
  }

  get expirations() {
    return [...this.#certificates.expirations()]
  }

  contextOf(listener: string) {
    return this.#certificates.contextOf(listener)
  }

  problems() {
    return this.logger.events.filter(({ level }) => level === 'error' || level === 'warn')
  }
}

test('only a listener with SSL has a certificate', () => {
  const setup = new Setup(issue('first'))
  expect(setup.contextOf('PLAINTEXT')).toBeUndefined()
  expect(setup.subject).toBe('CN=first')
})

test('when it expires is known', () => {
  const notAfter = new Date('2031-02-03T04:05:06Z')
  expect(new Setup(issue('first', { notAfter })).expirations).toEqual([['TLS', notAfter.getTime()]])
})

test('a certificate that is renewed is taken within a minute, and told of', async () => {
  const setup = new Setup(issue('first'))
  setup.write(issue('second', { hosts: ['kafka.example.com'], notAfter: new Date('2031-02-03T04:05:06Z') }))
  await setup.look()
  expect(setup.subject).toBe('CN=second')
  expect(setup.logger.events.at(-1)).toMatchObject({
    level: 'info',
    message: 'a listener has a new certificate',
    fields: {
      listener: 'TLS',
      subject: 'CN=second',
      names: 'DNS:kafka.example.com',
      notAfter: '2031-02-03T04:05:06.000Z',
    },
  })
})

test('a certificate that is the same is left alone', async () => {
  const setup = new Setup(issue('first'))
  const before = setup.contextOf('TLS')?.()
  await setup.look(5)
  expect(setup.contextOf('TLS')?.()).toBe(before)
  expect(setup.logger.events.length).toBe(1)
})

test.each<[string, (setup: Setup) => void, string]>([
  ['the key of another one', (setup) => setup.write({ ...issue('second'), key: issue('third').key }), 'CN=second'],
  ['nothing that can be read', (setup) => setup.write({ certificate: 'what', key: 'ever' }), 'no PEM certificate'],
  ['no file', (setup) => setup.files.clear(), '${dir:/tls:tls.crt}'],
])('with %s the listener keeps what it has, and it is told once', async (_what, damage, words) => {
  const setup = new Setup(issue('first'))
  damage(setup)
  await setup.look(3)
  expect(setup.subject).toBe('CN=first')
  expect(setup.problems().length).toBe(1)
  expect(String(setup.problems()[0]?.fields['reason'])).toContain(words)
  setup.write(issue('second'))
  await setup.look()
  expect(setup.subject).toBe('CN=second')
})

test('the same trouble is told again when it comes again', async () => {
  const first = issue('first')
  const setup = new Setup(first)
  for (const files of [{ certificate: '', key: '' }, first, { certificate: '', key: '' }]) {
    setup.write(files)
    await setup.look()
  }
  expect(setup.problems().length).toBe(2)
})

test('a certificate that is not valid any more is served, with a warning', () => {
  const setup = new Setup(issue('first', { notAfter: new Date(1000) }))
  expect(setup.problems()).toMatchObject([{ level: 'warn', fields: { subject: 'CN=first' } }])
})

test('what is set at run time is taken at once', () => {
  const setup = new Setup(issue('first'))
  const second = issue('second')
  setup.files.set('/other/tls.crt', second.certificate)
  setup.write({ certificate: issue('first').certificate, key: second.key })
  setup.setDynamically('keystore.certificate.chain', '${dir:/other:tls.crt}')
  expect(setup.subject).toBe('CN=second')
})

test('no secret is logged', async () => {
  const setup = new Setup(issue('first'))
  const { key } = issue('second')
  setup.write({ certificate: issue('third').certificate, key })
  await setup.look()
  expect(JSON.stringify(setup.logger.events)).not.toContain(key.split('\n')[1])
})
