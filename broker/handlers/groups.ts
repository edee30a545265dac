import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { Handler } from './handler.ts'

/**
 * The APIs of classic groups: OffsetCommit (8), OffsetFetch (9), JoinGroup (11), Heartbeat (12), LeaveGroup (13), SyncGroup (14),
 * DescribeGroups (15), ListGroups (16), DeleteGroups (42), OffsetDelete (47). All that they do is the group coordinator's.
 */
export function groupHandlers(groups: GroupCoordinator): Handler<ApiKey>[] {
  const offsetCommit: Handler<typeof ApiKey.OffsetCommit> = {
    key: ApiKey.OffsetCommit,
    handle: (request, context) => groups.offsetCommit(request, context),
  }
  const offsetFetch: Handler<typeof ApiKey.OffsetFetch> = {
    key: ApiKey.OffsetFetch,
    handle: (request, context) => groups.offsetFetch(request, context),
  }
  const offsetDelete: Handler<typeof ApiKey.OffsetDelete> = {
    key: ApiKey.OffsetDelete,
    handle: (request, context) => groups.offsetDelete(request, context),
  }
  const joinGroup: Handler<typeof ApiKey.JoinGroup> = {
    key: ApiKey.JoinGroup,
    handle: (request, context) => groups.joinGroup(request, context),
  }
  const syncGroup: Handler<typeof ApiKey.SyncGroup> = {
    key: ApiKey.SyncGroup,
    handle: (request, context) => groups.syncGroup(request, context),
  }
  const heartbeat: Handler<typeof ApiKey.Heartbeat> = {
    key: ApiKey.Heartbeat,
    handle: (request, context) => groups.heartbeat(request, context),
  }
  const leaveGroup: Handler<typeof ApiKey.LeaveGroup> = {
    key: ApiKey.LeaveGroup,
    handle: (request, context) => groups.leaveGroup(request, context),
  }
  const describeGroups: Handler<typeof ApiKey.DescribeGroups> = {
    key: ApiKey.DescribeGroups,
    handle: (request, context) => groups.describeGroups(request, context),
  }
  const listGroups: Handler<typeof ApiKey.ListGroups> = {
    key: ApiKey.ListGroups,
    handle: (request, context) => groups.listGroups(request, context),
  }
  const deleteGroups: Handler<typeof ApiKey.DeleteGroups> = {
    key: ApiKey.DeleteGroups,
    handle: (request, context) => groups.deleteGroups(request, context),
  }
  return [
    offsetCommit,
    offsetFetch,
    offsetDelete,
    joinGroup,
    syncGroup,
    heartbeat,
    leaveGroup,
    describeGroups,
    listGroups,
    deleteGroups,
  ]
}
