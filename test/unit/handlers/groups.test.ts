import { expect, test } from '@jest/globals'
import type { GroupCoordinator } from '../../../broker/coordinator/group/group-coordinator.ts'
import { GROUP_OPERATIONS } from '../../../broker/handlers/authorized-operations.ts'
import { groupHandlers } from '../../../broker/handlers/groups.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { RequestOf } from '../../../broker/protocol/apis.ts'
import { contextOf } from './context.ts'

const NOT_ASKED = -2_147_483_648

test.each([
  [ErrorCode.NONE, true, GROUP_OPERATIONS],
  [ErrorCode.NONE, false, NOT_ASKED],
  [ErrorCode.GROUP_ID_NOT_FOUND, true, NOT_ASKED],
])('what may be done with a group of error %i, where that is asked for: %s', async (errorCode, isAsked, expected) => {
  const coordinator = { describeGroups: () => ({ groups: [{ groupId: 'g', errorCode }] }) }
  const handlers = groupHandlers(coordinator as unknown as GroupCoordinator)
  const describe = handlers.find(({ key }) => key === ApiKey.DescribeGroups)
  const request: RequestOf<typeof ApiKey.DescribeGroups> = { groups: ['g'], includeAuthorizedOperations: isAsked }
  expect(await describe?.handle(request as never, contextOf())).toMatchObject({
    groups: [{ authorizedOperations: expected }],
  })
})
