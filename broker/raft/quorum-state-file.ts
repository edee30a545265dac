import type { Disk } from '../env/disk.ts'
import { ZERO_UUID } from '../lib/uuid.ts'
import { NOBODY } from './state.ts'

/** What a voter must not forget: its epoch, and whom it voted for in it. */
export interface QuorumState {
  readonly epoch: number
  readonly leaderId: number
  readonly votedId: number
  readonly votedDirectoryId: string
}

/** `quorum-state` is not the JSON that Kafka writes. */
export class QuorumStateError extends Error {
  readonly code = 'MALFORMED_QUORUM_STATE'
}

const NEW: QuorumState = { epoch: 0, leaderId: NOBODY, votedId: NOBODY, votedDirectoryId: ZERO_UUID }

/** Reads the file, version 0 or 1; a new state where there is none. Throws QuorumStateError. */
export function readQuorumState(disk: Disk, path: string): QuorumState {
  if (!disk.exists(path)) return NEW
  const text = new TextDecoder().decode(disk.readFile(path))
  const fields = parse(path, text)
  const integer = (name: string, otherwise: number) => {
    const value = fields[name] ?? otherwise
    if (!Number.isSafeInteger(value)) throw new QuorumStateError(`${path}: ${name} is ${JSON.stringify(value)}`)
    return Number(value)
  }
  const version = integer('data_version', 0)
  if (version !== 0 && version !== 1) throw new QuorumStateError(`${path}: data_version is ${version}`)
  const votedDirectoryId = fields['votedDirectoryId']
  return {
    epoch: Math.max(0, integer('leaderEpoch', 0)),
    leaderId: integer('leaderId', NOBODY),
    votedId: integer('votedId', NOBODY),
    votedDirectoryId: typeof votedDirectoryId === 'string' ? votedDirectoryId : ZERO_UUID,
  }
}

function parse(path: string, text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new QuorumStateError(`${path} is not JSON`, { cause })
  }
  if (typeof value !== 'object' || value === null) throw new QuorumStateError(`${path} holds no object`)
  return { ...value }
}

/** Durable on return. kraft.version 0 has version 0 of the file, which names the voters. */
export function writeQuorumState(
  disk: Disk,
  path: string,
  state: QuorumState,
  quorum: { readonly kraftVersion: number; readonly voters: readonly number[] },
): void {
  const { epoch: leaderEpoch, leaderId, votedId, votedDirectoryId } = state
  const content =
    quorum.kraftVersion > 0
      ? { leaderId, leaderEpoch, votedId, votedDirectoryId, data_version: 1 }
      : {
          clusterId: '',
          leaderId,
          leaderEpoch,
          votedId,
          appliedOffset: 0,
          currentVoters: quorum.voters.map((voterId) => ({ voterId })),
          data_version: 0,
        }
  disk.replaceFile(path, new TextEncoder().encode(JSON.stringify(content)))
}
