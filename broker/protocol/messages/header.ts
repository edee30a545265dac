import { int16, int32, string } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'

export const requestHeader = message(
  { name: 'RequestHeader', validVersions: '1-2', flexibleVersions: '2+' },
  {
    requestApiKey: int16(),
    requestApiVersion: int16(),
    correlationId: int32(),
    clientId: string({ nullable: true, flexible: false }),
  },
)
export type RequestHeader = Infer<typeof requestHeader>

export const responseHeader = message(
  { name: 'ResponseHeader', validVersions: '0-1', flexibleVersions: '1+' },
  {
    correlationId: int32(),
  },
)
export type ResponseHeader = Infer<typeof responseHeader>
