import { describe, expect, test } from '@jest/globals'
import { ConfigError } from '../../../broker/config/config-error.ts'
import { parseProperties } from '../../../broker/config/properties.ts'
import { parseServerConfig, withDynamicConfigs, withFreshVariables } from '../../../broker/config/server-config.ts'
import { resolveVariables, type VariableSources } from '../../../broker/config/variables.ts'

const PACKAGE = 'org.apache.kafka.common.config.provider'
const PROVIDERS = `
config.providers=dir, file,env
config.providers.dir.class=${PACKAGE}.DirectoryConfigProvider
config.providers.file.class=${PACKAGE}.FileConfigProvider
config.providers.env.class=${PACKAGE}.EnvVarConfigProvider
`

function sources(files: Readonly<Record<string, string>>, environment: Record<string, string> = {}): VariableSources {
  return {
    readFile: (path) => {
      const text = files[path]
      if (text === undefined) throw new Error('ENOENT')
      return new TextEncoder().encode(text)
    },
    environment,
  }
}

const SOURCES = sources(
  { '/secrets/tls.crt': 'chain\n', '/secrets/deeper/key': 'deep', '/etc/more.properties': 'a.b=from file\nempty=' },
  { RACK: 'r1' },
)

function resolved(value: string, more = ''): string | undefined {
  return resolveVariables(parseProperties(`${PROVIDERS}${more}\nvalue=${value}`), SOURCES).get('value')
}

describe('a variable', () => {
  test.each([
    ['${dir:/secrets:tls.crt}', 'chain\n'],
    ['${file:/etc/more.properties:a.b}', 'from file'],
    ['${file:/etc/more.properties:empty}', ''],
    ['${env:RACK}', 'r1'],
    ['<${env:RACK}> and ${env:RACK}', '<r1> and r1'],
    ['${} ${RACK} ${env:RACK}', '${} ${RACK} r1'],
    ['${env:RACK} ${env:RACK', 'r1 ${env:RACK'],
    ['${file:/etc/more.properties:a.b}}', 'from file}'],
  ])('%s is %j', (text, value) => expect(resolved(text)).toBe(value))

  test.each([
    '${dir:/secrets:tls.key}',
    '${dir:/nowhere:tls.crt}',
    '${dir:/secrets:deeper/key}',
    '${dir:/secrets/deeper:..}',
    '${file:/etc/more.properties:c}',
    '${env:NOT_SET}',
    '${vault:/secrets:tls.crt}',
    '${file:/etc/more.properties:a.b:c}',
    '${a ${env:RACK}',
    '${tls.crt}',
    '$RACK',
  ])('%s stays as it is, as in Apache Kafka', (text) => expect(resolved(text)).toBe(text))

  test('is one of paths that are allowed, where that is limited', () => {
    const limit = 'config.providers.dir.param.allowed.paths=/secrets/deeper,/other'
    expect(resolved('${dir:/secrets/deeper:key}', limit)).toBe('deep')
    expect(resolved('${dir:/secrets:tls.crt}', limit)).toBe('${dir:/secrets:tls.crt}')
    expect(resolved('${dir:/secrets/deeper/..:tls.crt}', limit)).toBe('${dir:/secrets/deeper/..:tls.crt}')
  })

  test('of the environment is one that is allowed, where that is limited', () => {
    expect(resolved('${env:RACK}', 'config.providers.env.param.allowlist.pattern=R.*')).toBe('r1')
    expect(resolved('${env:RACK}', 'config.providers.env.param.allowlist.pattern=RA')).toBe('${env:RACK}')
  })

  test('of the environment needs a pattern that is one, where that is limited', () => {
    const set = () => resolved('${env:RACK}', 'config.providers.env.param.allowlist.pattern=R(')
    expect(set).toThrow(ConfigError)
    expect(set).toThrow('config.providers.env.param.allowlist.pattern')
  })

  test('needs a provider', () => {
    const value = '${env:RACK}'
    expect(resolveVariables(new Map([['value', value]]), SOURCES).get('value')).toBe(value)
  })

  test.each(['', 'config.providers.dir.class=com.example.VaultProvider'])(
    'needs a provider that is there: %j',
    (line) => {
      const properties = parseProperties(`config.providers=dir\n${line}`)
      expect(() => resolveVariables(properties, SOURCES)).toThrow('config.providers.dir.class')
    },
  )
})

const SERVER = `${PROVIDERS}
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:9093
listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093
controller.listener.names=CONTROLLER
broker.rack=\${env:RACK}
`

describe('server.properties', () => {
  test('has the values of variables, on the command line too', () => {
    const overrides = new Map([['log.dirs', '/data/${env:RACK}']])
    const { config } = parseServerConfig(parseProperties(SERVER), overrides, SOURCES)
    expect(config.brokerRack).toBe('r1')
    expect(config.logDirs).toEqual(['/data/r1'])
  })

  test('is as it was written where nobody resolves it', () => {
    expect(parseServerConfig(parseProperties(SERVER)).config.brokerRack).toBe('${env:RACK}')
  })

  test('can be resolved anew, with what was changed at run time', () => {
    const { config } = parseServerConfig(parseProperties(SERVER), undefined, SOURCES)
    const perBroker = new Map([['listener.name.tls.ssl.keystore.location', '/${env:RACK}.pem']])
    const running = withDynamicConfigs(config, { perBroker, clusterWide: new Map() })
    const fresh = withFreshVariables(running, sources({}, { RACK: 'r2' }))
    expect(fresh.brokerRack).toBe('r2')
    expect(fresh.layers.perBroker).toEqual(new Map([['listener.name.tls.ssl.keystore.location', '/r2.pem']]))
    expect(running.brokerRack).toBe('r1')
  })

  test.each(['perBroker', 'clusterWide'] as const)(
    'has its providers from its file, not from what was set %s',
    (where) => {
      const limit = 'config.providers.dir.param.allowed.paths'
      const properties = parseProperties(`${SERVER}${limit}=/secrets/deeper`)
      const { config } = parseServerConfig(properties, undefined, SOURCES)
      const set = new Map([
        [limit, '/'],
        ['config.providers', 'dir,mine'],
        ['config.providers.mine.class', `${PACKAGE}.FileConfigProvider`],
        ['listener.name.tls.ssl.keystore.location', '${dir:/secrets:tls.crt}${mine:/etc/more.properties:a.b}'],
        ['listener.name.tls.ssl.keystore.password', '${dir:/secrets/deeper:key}'],
      ])
      const nothing = { perBroker: new Map(), clusterWide: new Map() }
      const fresh = withFreshVariables(withDynamicConfigs(config, { ...nothing, [where]: set }), SOURCES).layers[where]
      expect(fresh.get('listener.name.tls.ssl.keystore.location')).toBe(
        set.get('listener.name.tls.ssl.keystore.location'),
      )
      expect(fresh.get('listener.name.tls.ssl.keystore.password')).toBe('deep')
    },
  )
})
