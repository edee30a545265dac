import { array, int16, int32, int64, records, string, struct, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const produceRequest = message(
  { name: 'ProduceRequest', apiKey: 0, validVersions: '3-13', flexibleVersions: '9+' },
  {
    transactionalId: string({ nullable: true, default: null }),
    acks: int16(),
    timeoutMs: int32(),
    topicData: array(
      struct({
        topicId: uuid({ versions: '13+' }),
        name: string({ versions: '3-12' }),
        partitionData: array(
          struct({
            index: int32(),
            records: records({ nullable: true, default: null }),
          }),
        ),
      }),
    ),
  },
)
export type ProduceRequest = Infer<typeof produceRequest>

export const produceResponse = message(
  { name: 'ProduceResponse', apiKey: 0, validVersions: '3-13', flexibleVersions: '9+' },
  {
    responses: array(
      struct({
        topicId: uuid({ versions: '13+' }),
        name: string({ versions: '3-12' }),
        partitionResponses: array(
          struct({
            index: int32(),
            errorCode: int16(),
            baseOffset: int64(),
            logAppendTimeMs: int64({ default: -1n }),
            logStartOffset: int64({ versions: '5+', default: -1n }),
            recordErrors: array(
              struct({
                batchIndex: int32(),
                batchIndexErrorMessage: string({ cut: true, nullable: true, default: null }),
              }),
              { versions: '8+' },
            ),
            errorMessage: string({ cut: true, versions: '8+', nullable: true, default: null }),
            currentLeader: struct(
              {
                leaderId: int32({ default: -1 }),
                leaderEpoch: int32({ default: -1 }),
              },
              { versions: '10+', tag: 0 },
            ),
          }),
        ),
      }),
    ),
    throttleTimeMs: int32(),
    nodeEndpoints: array(
      struct({
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: true, default: null }),
      }),
      { versions: '10+', tag: 0 },
    ),
  },
)
export type ProduceResponse = Infer<typeof produceResponse>

export const produceApi = api(produceRequest, produceResponse, { listeners: BROKER })
