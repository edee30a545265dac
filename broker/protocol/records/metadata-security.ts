import { array, bytes, int32, int64, int8, string, uuid } from '../../schema/fields.ts'
import { type Infer, message } from '../../schema/message.ts'

export const accessControlEntryRecord = message(
  { name: 'AccessControlEntryRecord', apiKey: 18, validVersions: '0', flexibleVersions: '0+' },
  {
    id: uuid(),
    resourceType: int8(),
    resourceName: string(),
    patternType: int8(),
    principal: string(),
    host: string(),
    operation: int8(),
    permissionType: int8(),
  },
)
export type AccessControlEntryRecord = Infer<typeof accessControlEntryRecord>

export const removeAccessControlEntryRecord = message(
  { name: 'RemoveAccessControlEntryRecord', apiKey: 19, validVersions: '0', flexibleVersions: '0+' },
  {
    id: uuid(),
  },
)
export type RemoveAccessControlEntryRecord = Infer<typeof removeAccessControlEntryRecord>

export const userScramCredentialRecord = message(
  { name: 'UserScramCredentialRecord', apiKey: 11, validVersions: '0', flexibleVersions: '0+' },
  {
    name: string(),
    mechanism: int8(),
    salt: bytes(),
    storedKey: bytes(),
    serverKey: bytes(),
    iterations: int32(),
  },
)
export type UserScramCredentialRecord = Infer<typeof userScramCredentialRecord>

export const removeUserScramCredentialRecord = message(
  { name: 'RemoveUserScramCredentialRecord', apiKey: 22, validVersions: '0', flexibleVersions: '0+' },
  {
    name: string(),
    mechanism: int8(),
  },
)
export type RemoveUserScramCredentialRecord = Infer<typeof removeUserScramCredentialRecord>

export const delegationTokenRecord = message(
  { name: 'DelegationTokenRecord', apiKey: 10, validVersions: '0', flexibleVersions: '0+' },
  {
    owner: string(),
    requester: string(),
    renewers: array(string()),
    issueTimestamp: int64(),
    maxTimestamp: int64(),
    expirationTimestamp: int64(),
    tokenId: string(),
  },
)
export type DelegationTokenRecord = Infer<typeof delegationTokenRecord>

export const removeDelegationTokenRecord = message(
  { name: 'RemoveDelegationTokenRecord', apiKey: 26, validVersions: '0', flexibleVersions: '0+' },
  {
    tokenId: string(),
  },
)
export type RemoveDelegationTokenRecord = Infer<typeof removeDelegationTokenRecord>
