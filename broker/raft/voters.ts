import { ZERO_UUID } from '../lib/uuid.ts'
import type { VotersRecord } from '../protocol/records/control.ts'

export interface VoterEndpoint {
  readonly name: string
  readonly host: string
  readonly port: number
}

/** A member of the quorum. The directory id is ZERO_UUID where the voters are static (KIP-853 knows them by it). */
export interface Voter {
  readonly id: number
  readonly directoryId: string
  readonly endpoints: readonly VoterEndpoint[]
  /** The versions of kraft.version that it speaks; where it is left out, those that this node does. */
  readonly kraftVersions?: KraftVersions
}

export interface KraftVersions {
  readonly minSupportedVersion: number
  readonly maxSupportedVersion: number
}

/** Versions of kraft.version that this node speaks: 1 has dynamic voters. */
export const KRAFT_VERSIONS: KraftVersions = { minSupportedVersion: 0, maxSupportedVersion: 1 }

export function votersOf(record: VotersRecord): Voter[] {
  return record.voters.map(({ voterId, voterDirectoryId, endpoints, kraftVersionFeature }) => ({
    id: voterId,
    directoryId: voterDirectoryId,
    endpoints,
    kraftVersions: kraftVersionFeature,
  }))
}

export function votersRecordOf(voters: readonly Voter[]): VotersRecord {
  return {
    version: 0,
    voters: voters.map(({ id, directoryId, endpoints, kraftVersions = KRAFT_VERSIONS }) => ({
      voterId: id,
      voterDirectoryId: directoryId,
      endpoints: endpoints.map((endpoint) => ({ ...endpoint })),
      kraftVersionFeature: kraftVersions,
    })),
  }
}

/** The voters of `controller.quorum.voters`: one address each, on the first controller listener. */
export function staticVoters(
  voters: readonly { readonly id: number; readonly host: string; readonly port: number }[],
  listenerName: string,
): Voter[] {
  return voters.map(({ id, host, port }) => ({
    id,
    directoryId: ZERO_UUID,
    endpoints: [{ name: listenerName, host, port }],
  }))
}

/** The voters with `endpoints` for node `id`; the same list where it has these already. */
export function withEndpoints(
  voters: readonly Voter[],
  id: number,
  endpoints: readonly VoterEndpoint[],
): readonly Voter[] {
  const plain = endpoints.map(({ name, host, port }) => ({ name, host, port }))
  const isSame = (voter: Voter) => voter.id !== id || JSON.stringify(voter.endpoints) === JSON.stringify(plain)
  if (voters.every(isSame)) return voters
  return voters.map((voter) => (voter.id === id ? { ...voter, endpoints: plain } : voter))
}
