import type { ApiKey } from '../../protocol/api-key.ts'
import type { ResponseInputOf } from '../../protocol/apis.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { NO_ASSIGNMENT } from './effects.ts'
import type { Group } from './group-registry.ts'

export type GroupDescription = NonNullable<ResponseInputOf<typeof ApiKey.DescribeGroups>['groups']>[number]
export type ListedGroup = NonNullable<ResponseInputOf<typeof ApiKey.ListGroups>['groups']>[number]

/** From this version on DescribeGroups tells that a group does not exist; before, it is in state Dead without an error. */
const NOT_FOUND_SINCE = 6

/** Members' metadata are told in state Stable only: before, they do not belong to one generation. */
export function describeGroup(group: Group): GroupDescription {
  const isStable = group.state === 'Stable'
  return {
    errorCode: ErrorCode.NONE,
    groupId: group.groupId,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: isStable ? (group.protocolName ?? '') : '',
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: isStable ? group.metadataOf(member) : NO_ASSIGNMENT,
      memberAssignment: member.assignment,
    })),
  }
}

export function describeMissing(groupId: string, apiVersion: number): GroupDescription {
  if (apiVersion < NOT_FOUND_SINCE) return { errorCode: ErrorCode.NONE, groupId, groupState: 'Dead' }
  const errorMessage = `Group ${groupId} not found.`
  return { errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage, groupId, groupState: 'Dead' }
}

/** The groups in one of the states and of one of the types; no state, or no type, is all of them. Case does not count. */
export function listGroups(
  groups: Iterable<Group>,
  statesFilter: readonly string[],
  typesFilter: readonly string[],
): ListedGroup[] {
  const states = new Set(statesFilter.map((state) => state.trim().toLowerCase()))
  const types = new Set(typesFilter.map((type) => type.trim().toLowerCase()))
  const listed: ListedGroup[] = []
  for (const group of groups) {
    if (states.size > 0 && !states.has(group.state.toLowerCase())) continue
    if (types.size > 0 && !types.has(group.type)) continue
    const { groupId, protocolType, state } = group
    listed.push({ groupId, protocolType: protocolType ?? '', groupState: state, groupType: group.type })
  }
  return listed
}
