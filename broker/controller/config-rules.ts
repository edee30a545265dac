/** One entry of what a new topic runs with, as CreateTopics v5+ answers it. */
export interface EffectiveConfig {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  /** Kafka's id: 1 dynamic topic, 2 dynamic broker, 3 dynamic default broker, 4 static broker, 5 default. */
  readonly configSource: number
  readonly isSensitive: boolean
}

export interface ConfigRefusal {
  readonly error: 'INVALID_CONFIG' | 'INVALID_REQUEST'
  readonly message: string
}

/** What the controller must know of configuration keys; broker/config has the table. `type` is an id of ResourceType. */
export interface ConfigRules {
  /** Why `configs`, all that a resource would then have set, cannot be; null where they can. In Kafka's words. `changed` are set now. */
  validate(
    type: number,
    name: string,
    configs: ReadonlyMap<string, string>,
    changed: Iterable<string>,
  ): ConfigRefusal | null
  /** Whether the key holds a list, so that AlterConfigs may append to it and subtract from it. */
  isList(type: number, key: string): boolean
  /** What a list starts from where it is not set. */
  defaultValue(type: number, key: string): string | null
  /** All settings of a topic that has `overrides` set. */
  effectiveTopicConfigs(overrides: ReadonlyMap<string, string>): readonly EffectiveConfig[]
}
