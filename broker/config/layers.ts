import { assert } from '../lib/assert.ts'
import { BROKER_KEYS, brokerKey } from './broker-keys.ts'
import type { BrokerValues } from './broker-keys.ts'
import { ConfigError } from './config-error.ts'
import type { ConfigProblem } from './config-error.ts'
import { camelCase, isSensitive, REQUIRED } from './key.ts'
import type { ConfigKey, ConfigValue } from './key.ts'
import { parseValue } from './value.ts'

/** Where a broker's values come from, strongest first (KIP-226). */
export interface ConfigLayers {
  /** Set for this broker while it runs. */
  readonly perBroker: ReadonlyMap<string, string>
  /** Set for all brokers while they run. */
  readonly clusterWide: ReadonlyMap<string, string>
  /** server.properties. */
  readonly static: ReadonlyMap<string, string>
  /** The same before variables were replaced. */
  readonly unresolved: ReadonlyMap<string, string>
}

/** The strongest text that is set for exactly this name; the default is not considered. */
export function setText(layers: ConfigLayers, name: string): string | undefined {
  return layers.perBroker.get(name) ?? layers.clusterWide.get(name) ?? layers.static.get(name)
}

/** Where each key's value goes. */
const FIELDS = BROKER_KEYS.map((key: ConfigKey) => ({ key, field: camelCase(key.name) }))

/** All values of the table; throws a ConfigError with every bad one. */
export function resolveValues(layers: ConfigLayers): BrokerValues {
  const values: Record<string, ConfigValue> = {}
  const problems: ConfigProblem[] = checkListenerKeys(layers)
  for (const { key, field } of FIELDS) {
    const text = setText(layers, key.name) ?? key.default
    if (text === REQUIRED) {
      const message = `Missing required configuration "${key.name}" which has no default value.`
      problems.push({ key: key.name, value: null, message })
    } else if (text === null) values[field] = null
    else {
      const parsed = parseValue(key, text)
      if ('problem' in parsed)
        problems.push({ key: key.name, value: isSensitive(key) ? null : text, message: parsed.problem })
      else values[field] = parsed.value
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
  assert(isComplete(values), 'a value of the table is missing')
  return values
}

/** TypeScript cannot follow names that are computed; parseValue gives each key a value of its type. */
function isComplete(values: Record<string, ConfigValue>): values is Record<string, ConfigValue> & BrokerValues {
  return FIELDS.every(({ field }) => field in values)
}

/** Values for one listener (`listener.name.…`) are in no table row, but must be right all the same. */
function checkListenerKeys(layers: ConfigLayers): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  for (const [name, text] of [...layers.static, ...layers.clusterWide, ...layers.perBroker]) {
    const key = brokerKey(name)
    if (key === undefined || key.name === name) continue
    const parsed = parseValue(key, text)
    if ('problem' in parsed)
      problems.push({ key: name, value: isSensitive(key) ? null : text, message: parsed.problem })
  }
  return problems
}

/** Names in a layer that the table does not have. */
export function unknownNames(layer: ReadonlyMap<string, string>): string[] {
  return [...layer.keys()].filter((name) => brokerKey(name) === undefined && !isPassedOn(name))
}

/** Prefixes behind which a plug-in's own keys stand. */
function isPassedOn(name: string): boolean {
  return /^(rsm\.config|rlmm\.config|config\.providers)\./.test(name)
}
