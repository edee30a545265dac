import { array, int16, int32, int8, string, struct } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, BROKER } from '../api.ts'

export const findCoordinatorRequest = message(
  { name: 'FindCoordinatorRequest', apiKey: 10, validVersions: '0-6', flexibleVersions: '3+' },
  {
    key: string({ versions: '0-3' }),
    keyType: int8({ versions: '1+' }),
    coordinatorKeys: array(string(), { versions: '4+' }),
  },
)
export type FindCoordinatorRequest = Infer<typeof findCoordinatorRequest>

export const findCoordinatorResponse = message(
  { name: 'FindCoordinatorResponse', apiKey: 10, validVersions: '0-6', flexibleVersions: '3+' },
  {
    throttleTimeMs: int32({ versions: '1+' }),
    coordinators: array(
      struct({
        key: string(),
        nodeId: int32(),
        host: string(),
        port: int32(),
        errorCode: int16(),
        errorMessage: string({ cut: true, nullable: true }),
      }),
      { versions: '4+' },
    ),
    errorCode: int16({ versions: '0-3' }),
    errorMessage: string({ cut: true, versions: '1-3', nullable: true }),
    nodeId: int32({ versions: '0-3' }),
    host: string({ versions: '0-3' }),
    port: int32({ versions: '0-3' }),
  },
)
export type FindCoordinatorResponse = Infer<typeof findCoordinatorResponse>

export const findCoordinatorApi = api(findCoordinatorRequest, findCoordinatorResponse, { listeners: BROKER })
