import type { MetadataRecord, MetadataRecordOf } from '../protocol/metadata-record.ts'
import type { CowMap } from './cow-map.ts'
import { type ClientQuotaImage, type ConfigImage, type MetadataImage, resourceKey, ResourceType } from './image.ts'

interface EditedConfig {
  readonly type: number
  readonly name: string
  readonly entries: Map<string, string>
}

interface EditedQuota {
  readonly entity: ClientQuotaImage['entity']
  readonly values: Map<string, number>
}

/** Configs and client quotas in a run of records. */
export class ConfigsDelta {
  readonly #image: MetadataImage
  readonly #edited = new Map<string, EditedConfig>()
  readonly #quotas = new Map<string, EditedQuota>()

  constructor(image: MetadataImage) {
    this.#image = image
  }

  /** The resources whose configs changed. */
  changed(): Iterable<{ readonly type: number; readonly name: string }> {
    return this.#edited.values()
  }

  get changedQuotas(): boolean {
    return this.#quotas.size > 0
  }

  /** False for a record that is not about these. */
  replay(record: MetadataRecord): boolean {
    switch (record.type) {
      case 'ConfigRecord': {
        const { resourceType, resourceName, name, value } = record.value
        const { entries } = this.#edit(resourceType, resourceName)
        if (value === null) entries.delete(name)
        else entries.set(name, value)
        return true
      }
      case 'ClientQuotaRecord':
        this.#setQuota(record.value)
        return true
      default:
        return false
    }
  }

  /** A deleted topic's configs go with it, without a record of their own. */
  forgetTopic(name: string | undefined): void {
    if (name !== undefined) this.#edit(ResourceType.TOPIC, name).entries.clear()
  }

  #edit(type: number, name: string): EditedConfig {
    const key = resourceKey(type, name)
    let edited = this.#edited.get(key)
    if (edited === undefined) {
      edited = { type, name, entries: new Map(this.#image.configs.get(key)?.entries) }
      this.#edited.set(key, edited)
    }
    return edited
  }

  #setQuota(record: MetadataRecordOf<'ClientQuotaRecord'>): void {
    const entity = record.entity.map(({ entityType, entityName }) => ({ type: entityType, name: entityName }))
    const key = quotaKey(entity)
    const edited = this.#quotas.get(key) ?? { entity, values: new Map(this.#image.clientQuotas.get(key)?.values) }
    this.#quotas.set(key, edited)
    if (record.remove) edited.values.delete(record.key)
    else edited.values.set(record.key, record.value)
  }

  finish(): { configs: CowMap<string, ConfigImage>; clientQuotas: CowMap<string, ClientQuotaImage> } {
    const configs = this.#image.configs.edit()
    for (const [key, config] of this.#edited) {
      if (config.entries.size > 0) configs.set(key, config)
      else configs.delete(key)
    }
    const quotas = this.#image.clientQuotas.edit()
    for (const [key, quota] of this.#quotas) {
      if (quota.values.size > 0) quotas.set(key, quota)
      else quotas.delete(key)
    }
    return { configs: configs.finish(), clientQuotas: quotas.finish() }
  }
}

/** One key for an entity in whatever order its parts come. */
function quotaKey(entity: ClientQuotaImage['entity']): string {
  return JSON.stringify(entity.toSorted((a, b) => (a.type < b.type ? -1 : 1)).map(({ type, name }) => [type, name]))
}
