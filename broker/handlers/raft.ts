import { ApiKey } from '../protocol/api-key.ts'
import type { RaftNode } from '../raft/raft-node.ts'
import { fetchCountedAs } from './fetch-replica.ts'
import { type Handler, handler } from './handler.ts'

/** What the metadata quorum serves: all but what a whole node adds. */
export type RaftServer = Pick<
  RaftNode,
  | 'vote'
  | 'beginQuorumEpoch'
  | 'endQuorumEpoch'
  | 'fetch'
  | 'fetchSnapshot'
  | 'addVoter'
  | 'removeVoter'
  | 'updateVoter'
>

/**
 * What members of the metadata quorum ask one another, and those who administer it: Fetch (1), which there is of the metadata log alone on
 * a controller's listener, Vote (52, v0 to v2), BeginQuorumEpoch and EndQuorumEpoch (53 and 54, v0 and v1), FetchSnapshot (59, v0 and
 * v1), AddRaftVoter (80, v0 and v1), RemoveRaftVoter (81, v0), UpdateRaftVoter (82, v0): KIP-595, KIP-630, KIP-853, KIP-996 and KIP-1166.
 */
export function raftHandlers({ raft }: { readonly raft: RaftServer }): Handler<ApiKey>[] {
  const fetch: Handler<typeof ApiKey.Fetch> = {
    key: ApiKey.Fetch,
    countedAs: fetchCountedAs,
    handle: (request, context) => raft.fetch(request, context),
  }
  return [
    fetch,
    handler(ApiKey.Vote, (request) => raft.vote(request)),
    handler(ApiKey.BeginQuorumEpoch, (request) => raft.beginQuorumEpoch(request)),
    handler(ApiKey.EndQuorumEpoch, (request) => raft.endQuorumEpoch(request)),
    handler(ApiKey.FetchSnapshot, (request) => raft.fetchSnapshot(request)),
    handler(ApiKey.AddRaftVoter, (request) => raft.addVoter(request)),
    handler(ApiKey.RemoveRaftVoter, (request) => raft.removeVoter(request)),
    handler(ApiKey.UpdateRaftVoter, (request) => raft.updateVoter(request)),
  ]
}
