import { ApiKey } from '../../../../broker/protocol/api-key.ts'
import type { Script } from '../script.ts'

const BROKER_LOGGER = 8
const SET = 0
const DELETE = 1
const APPEND = 2

/** KIP-412, of the one logger that both have. */
export async function loggers(script: Script): Promise<void> {
  const resource = (resourceName: string) => ({ resourceType: BROKER_LOGGER, resourceName })
  const alter = (
    what: string,
    changes: readonly (readonly [name: string, configOperation: number, value: string | null])[],
    { node = '1', validateOnly = false } = {},
  ) => {
    const configs = changes.map(([name, configOperation, value]) => ({ name, configOperation, value }))
    const request = { resources: [{ ...resource(node), configs }], validateOnly }
    return script.inEveryVersion(`logger, ${what}`, ApiKey.IncrementalAlterConfigs, request)
  }
  const describe = (what: string, node: string) => {
    const resources = [{ ...resource(node), configurationKeys: ['root'] }]
    return script.inEveryVersion(`logger, ${what}`, ApiKey.DescribeConfigs, { resources, includeSynonyms: true })
  }
  await alter('root', [['root', SET, 'ERROR']])
  await describe('root', '1')
  await alter('validate only', [['root', SET, 'DEBUG']], { validateOnly: true })
  await alter('unknown level', [['root', SET, 'bogus']])
  await alter('lower case', [['root', SET, 'debug']])
  await alter('no value', [['root', SET, null]])
  await alter('append', [['root', APPEND, 'DEBUG']])
  await alter('removal', [['root', DELETE, null]])
  await alter('unknown logger', [['no.such.logger', SET, 'bogus']])
  await alter('removal of an unknown logger', [['no.such.logger', DELETE, null]])
  await alter('nothing', [])
  await alter('of another node', [['root', SET, 'DEBUG']], { node: '9' })
  await alter('of no node', [['root', SET, 'DEBUG']], { node: 'x' })
  await alter('twice', [
    ['root', SET, 'DEBUG'],
    ['root', SET, 'INFO'],
  ])
  for (const node of ['1', '9', 'x', '']) await describe(`afterwards, of '${node}'`, node)
  await alter('root again', [['root', SET, 'WARN']])
}
