import type { MetadataRecord } from '../protocol/metadata-record.ts'
import type { CowMap, CowMapEditor } from './cow-map.ts'
import type { AclImage, DelegationTokenImage, MetadataImage, ScramCredentialImage } from './image.ts'

/** ACLs, SCRAM credentials and delegation tokens in a run of records. */
export class SecurityDelta {
  readonly #image: MetadataImage
  readonly #acls: CowMapEditor<string, AclImage>
  readonly #scram: CowMapEditor<string, ScramCredentialImage>
  readonly #tokens: CowMapEditor<string, DelegationTokenImage>
  #isChanged = false

  constructor(image: MetadataImage) {
    this.#image = image
    this.#acls = image.acls.edit()
    this.#scram = image.scramCredentials.edit()
    this.#tokens = image.delegationTokens.edit()
  }

  get isEmpty(): boolean {
    return !this.#isChanged
  }

  /** False for a record that is not about these. */
  replay(record: MetadataRecord): boolean {
    const isOurs = this.#replay(record)
    this.#isChanged ||= isOurs
    return isOurs
  }

  #replay(record: MetadataRecord): boolean {
    switch (record.type) {
      case 'AccessControlEntryRecord':
        this.#acls.set(record.value.id, record.value)
        return true
      case 'RemoveAccessControlEntryRecord':
        this.#acls.delete(record.value.id)
        return true
      case 'UserScramCredentialRecord': {
        const { name: user, ...credential } = record.value
        this.#scram.set(scramKey(user, credential.mechanism), { user, ...ownBytes(credential) })
        return true
      }
      case 'RemoveUserScramCredentialRecord':
        this.#scram.delete(scramKey(record.value.name, record.value.mechanism))
        return true
      case 'DelegationTokenRecord': {
        const { issueTimestamp, maxTimestamp, expirationTimestamp, ...token } = record.value
        this.#tokens.set(token.tokenId, {
          ...token,
          issueTimestampMs: Number(issueTimestamp),
          maxTimestampMs: Number(maxTimestamp),
          expirationTimestampMs: Number(expirationTimestamp),
        })
        return true
      }
      case 'RemoveDelegationTokenRecord':
        this.#tokens.delete(record.value.tokenId)
        return true
      default:
        return false
    }
  }

  finish(): {
    acls: CowMap<string, AclImage>
    scramCredentials: CowMap<string, ScramCredentialImage>
    delegationTokens: CowMap<string, DelegationTokenImage>
  } {
    if (this.isEmpty) {
      const { acls, scramCredentials, delegationTokens } = this.#image
      return { acls, scramCredentials, delegationTokens }
    }
    return {
      acls: this.#acls.finish(),
      scramCredentials: this.#scram.finish(),
      delegationTokens: this.#tokens.finish(),
    }
  }
}

/** Decoded bytes are views: an image must not keep the buffer of a whole read alive. */
function ownBytes<T extends { salt: Uint8Array; storedKey: Uint8Array; serverKey: Uint8Array }>(credential: T): T {
  const { salt, storedKey, serverKey } = credential
  return { ...credential, salt: salt.slice(), storedKey: storedKey.slice(), serverKey: serverKey.slice() }
}

function scramKey(user: string, mechanism: number): string {
  return `${mechanism}:${user}`
}
