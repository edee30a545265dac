import { bool, string } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'

/** The principal inside an Envelope request: an int16 version, then this. */
export const defaultPrincipalData = message(
  { name: 'DefaultPrincipalData', validVersions: '0', flexibleVersions: '0+' },
  {
    type: string(),
    name: string(),
    tokenAuthenticated: bool(),
  },
)
export type DefaultPrincipalData = Infer<typeof defaultPrincipalData>
