import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { authorizedOperations, GROUP_OPERATIONS } from './authorized-operations.ts'
import { type Handler, handler } from './handler.ts'

/**
 * The APIs of classic groups: OffsetCommit (8), OffsetFetch (9), JoinGroup (11), Heartbeat (12), LeaveGroup (13), SyncGroup (14),
 * DescribeGroups (15), ListGroups (16), DeleteGroups (42), OffsetDelete (47). All that they do is the group coordinator's.
 */
export function groupHandlers(groups: GroupCoordinator): Handler<ApiKey>[] {
  return [
    handler(ApiKey.OffsetCommit, (request, context) => groups.offsetCommit(request, context)),
    handler(ApiKey.OffsetFetch, (request, context) => groups.offsetFetch(request, context)),
    handler(ApiKey.OffsetDelete, (request, context) => groups.offsetDelete(request, context)),
    handler(ApiKey.JoinGroup, (request, context) => groups.joinGroup(request, context)),
    handler(ApiKey.SyncGroup, (request, context) => groups.syncGroup(request, context)),
    handler(ApiKey.Heartbeat, (request, context) => groups.heartbeat(request, context)),
    handler(ApiKey.LeaveGroup, (request, context) => groups.leaveGroup(request, context)),
    handler(ApiKey.DescribeGroups, (request, context) => {
      const answer = groups.describeGroups(request, context)
      const operations = (errorCode: number | undefined): number =>
        authorizedOperations(request.includeAuthorizedOperations && errorCode === ErrorCode.NONE, GROUP_OPERATIONS)
      return {
        ...answer,
        groups: (answer.groups ?? []).map((group) => ({
          ...group,
          authorizedOperations: operations(group.errorCode),
        })),
      }
    }),
    handler(ApiKey.ListGroups, (request, context) => groups.listGroups(request, context)),
    handler(ApiKey.DeleteGroups, (request, context) => groups.deleteGroups(request, context)),
  ]
}
