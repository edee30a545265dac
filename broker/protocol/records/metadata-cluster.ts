import { array, bool, float64, int16, int32, int64, int8, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'

export const abortTransactionRecord = message(
  { name: 'AbortTransactionRecord', apiKey: 25, validVersions: '0', flexibleVersions: '0+' },
  {
    reason: string({ nullable: true, tag: 0, default: null }),
  },
)
export type AbortTransactionRecord = Infer<typeof abortTransactionRecord>

export const beginTransactionRecord = message(
  { name: 'BeginTransactionRecord', apiKey: 23, validVersions: '0', flexibleVersions: '0+' },
  {
    name: string({ nullable: true, tag: 0, default: null }),
  },
)
export type BeginTransactionRecord = Infer<typeof beginTransactionRecord>

export const clientQuotaRecord = message(
  { name: 'ClientQuotaRecord', apiKey: 14, validVersions: '0', flexibleVersions: '0+' },
  {
    entity: array(
      struct({
        entityType: string(),
        entityName: string({ nullable: true }),
      }),
    ),
    key: string(),
    value: float64(),
    remove: bool(),
  },
)
export type ClientQuotaRecord = Infer<typeof clientQuotaRecord>

export const endTransactionRecord = message(
  { name: 'EndTransactionRecord', apiKey: 24, validVersions: '0', flexibleVersions: '0+' },
  {},
)

export const featureLevelRecord = message(
  { name: 'FeatureLevelRecord', apiKey: 12, validVersions: '0', flexibleVersions: '0+' },
  {
    name: string(),
    featureLevel: int16(),
  },
)
export type FeatureLevelRecord = Infer<typeof featureLevelRecord>

export const noOpRecord = message({ name: 'NoOpRecord', apiKey: 20, validVersions: '0', flexibleVersions: '0+' }, {})

export const producerIdsRecord = message(
  { name: 'ProducerIdsRecord', apiKey: 15, validVersions: '0', flexibleVersions: '0+' },
  {
    brokerId: int32(),
    brokerEpoch: int64({ default: -1n }),
    nextProducerId: int64(),
  },
)
export type ProducerIdsRecord = Infer<typeof producerIdsRecord>

export const zkMigrationStateRecord = message(
  { name: 'ZkMigrationStateRecord', apiKey: 21, validVersions: '0', flexibleVersions: '0+' },
  {
    zkMigrationState: int8(),
  },
)
export type ZkMigrationStateRecord = Infer<typeof zkMigrationStateRecord>
