import { describeTopic } from './config/describe.ts'
import { REQUIRED } from './config/key.ts'
import { configKey, configProblem, type ConfigResourceType } from './config/resource-config.ts'
import type { ServerConfig } from './config/server-config.ts'
import type { ConfigRules } from './controller/config-rules.ts'
import { ResourceType } from './metadata/image.ts'

const NAMES: ReadonlyMap<number, ConfigResourceType> = new Map([
  [ResourceType.TOPIC, 'topic'],
  [ResourceType.BROKER, 'broker'],
  [ResourceType.GROUP, 'group'],
  [ResourceType.CLIENT_METRICS, 'client-metrics'],
])

/** The controller's view of the table of keys: it decides what is stored, the table what may be. */
export function configRules(server: () => ServerConfig): ConfigRules {
  const keyOf = (type: number, key: string) => {
    const name = NAMES.get(type)
    return name === undefined ? undefined : configKey(name, key)
  }
  return {
    validate: (type, name, configs, changed) => {
      const resource = NAMES.get(type)
      if (resource === undefined)
        return { error: 'INVALID_CONFIG', message: `Resources of type ${type} cannot be configured.` }
      return configProblem(resource, name, Object.fromEntries(configs), [...changed], server())
    },
    isList: (type, key) => keyOf(type, key)?.type === 'list',
    defaultValue: (type, key) => {
      const value = keyOf(type, key)?.default
      return value === undefined || value === REQUIRED ? null : value
    },
    effectiveTopicConfigs: (overrides) =>
      describeTopic(Object.fromEntries(overrides), server()).map(({ name, value, readOnly, source, isSensitive }) => ({
        name,
        value: overrides.get(name) ?? value,
        readOnly,
        configSource: source,
        isSensitive,
      })),
  }
}
