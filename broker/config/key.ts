import type { Validator } from './validators.ts'

/** Types of Kafka's ConfigDef. */
export type ConfigType = 'boolean' | 'string' | 'int' | 'short' | 'long' | 'double' | 'list' | 'class' | 'password'

/** Who may change a key while the broker runs, and for whom. */
export type DynamicMode = 'read-only' | 'per-broker' | 'cluster-wide' | 'per-topic' | 'per-group' | 'per-client-metrics'

export type Importance = 'high' | 'medium' | 'low'

/** The default of a key that must be given. */
export const REQUIRED: unique symbol = Symbol('required')

type Default = string | null | typeof REQUIRED

export type ConfigValue = boolean | number | string | readonly string[] | null

/** One configuration key. `default` is text in the syntax of server.properties; null: not set. */
export interface ConfigKey<N extends string = string, T extends ConfigType = ConfigType, D extends Default = Default> {
  readonly name: N
  readonly type: T
  readonly default: D
  readonly importance: Importance
  readonly dynamic: DynamicMode
  readonly validator: Validator | undefined
}

export function key<const N extends string, const T extends ConfigType, const D extends Default>(
  name: N,
  type: T,
  defaultText: D,
  importance: Importance,
  dynamic: DynamicMode,
  validator?: Validator,
): ConfigKey<N, T, D> {
  return { name, type, default: defaultText, importance, dynamic, validator }
}

export type CamelCase<S extends string> = S extends `${infer Head}.${infer Rest}`
  ? `${Head}${Capitalize<CamelCase<Rest>>}`
  : S

type ValueOf<T extends ConfigType> = T extends 'boolean'
  ? boolean
  : T extends 'int' | 'short' | 'long' | 'double'
    ? number
    : T extends 'list'
      ? readonly string[]
      : string

/** The object that a table of keys describes: `log.segment.bytes` is `logSegmentBytes: number`, null where unset is possible. */
export type ValuesOf<Keys extends readonly ConfigKey[]> = {
  readonly [K in Keys[number] as CamelCase<K['name']>]: ValueOf<K['type']> | (K['default'] extends null ? null : never)
}

/** `log.segment.bytes` -> `logSegmentBytes`. */
export function camelCase(name: string): string {
  return name.replaceAll(/\.(.)/g, (_, letter: string) => letter.toUpperCase())
}

/** A value that must never be shown: a password, or one whose key is unknown. */
export function isSensitive(definition: ConfigKey | undefined): boolean {
  return definition === undefined || definition.type === 'password'
}
