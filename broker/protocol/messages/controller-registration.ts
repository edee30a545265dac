import { array, bool, int16, int32, string, struct, uint16, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'
import { api, CONTROLLER } from '../api.ts'

export const controllerRegistrationRequest = message(
  { name: 'ControllerRegistrationRequest', apiKey: 70, validVersions: '0', flexibleVersions: '0+' },
  {
    controllerId: int32(),
    incarnationId: uuid(),
    zkMigrationReady: bool(),
    listeners: array(
      struct({
        name: string(),
        host: string(),
        port: uint16(),
        securityProtocol: int16(),
      }),
    ),
    features: array(
      struct({
        name: string(),
        minSupportedVersion: int16(),
        maxSupportedVersion: int16(),
      }),
    ),
  },
)
export type ControllerRegistrationRequest = Infer<typeof controllerRegistrationRequest>

export const controllerRegistrationResponse = message(
  { name: 'ControllerRegistrationResponse', apiKey: 70, validVersions: '0', flexibleVersions: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ cut: true, nullable: true }),
  },
)
export type ControllerRegistrationResponse = Infer<typeof controllerRegistrationResponse>

export const controllerRegistrationApi = api(controllerRegistrationRequest, controllerRegistrationResponse, {
  listeners: CONTROLLER,
})
