import { expect, test } from '@jest/globals'
import { findCoordinatorHandler } from '../../../broker/handlers/find-coordinator.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { FindCoordinatorResponse } from '../../../broker/protocol/messages/find-coordinator.ts'
import { contextOf } from './context.ts'

const NODES = new Map([['known', { id: 3, host: 'h', port: 9092 }]])
const handler = findCoordinatorHandler({ coordinators: { ofGroup: (groupId) => NODES.get(groupId) } })

test('a group that has no coordinator yet is answered at once, and does not hide the others', () => {
  const request = { key: '', keyType: 0, coordinatorKeys: ['new', 'known'] }
  expect(handler.handle(request, contextOf({ apiVersion: 4 }))).toMatchObject({
    coordinators: [
      { key: 'new', nodeId: -1, port: -1, errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE },
      { key: 'known', nodeId: 3, port: 9092, errorCode: ErrorCode.NONE },
    ],
  })
})

test('before version 4 there is one group, and its answer is at the top', () => {
  const request = { key: 'new', keyType: 0, coordinatorKeys: [] }
  expect(handler.handle(request, contextOf({ apiVersion: 3 }))).toMatchObject({
    nodeId: -1,
    errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE,
  })
})

test.each([-1, 1, 2, 3])('a key of type %i is no group', (keyType) => {
  const request = { key: '', keyType, coordinatorKeys: ['known'] }
  expect(handler.handle(request, contextOf({ apiVersion: 6 }))).toMatchObject({
    coordinators: [{ nodeId: -1, errorCode: ErrorCode.INVALID_REQUEST }],
  })
})

test('a coordinator that is found comes with the text that Apache Kafka has for that', () => {
  const texts = [3, 4].map((apiVersion) => {
    const request = { key: 'known', keyType: 0, coordinatorKeys: ['known'] }
    const answer = handler.handle(request, contextOf({ apiVersion })) as FindCoordinatorResponse
    return apiVersion < 4 ? answer.errorMessage : answer.coordinators[0]?.errorMessage
  })
  expect(texts).toEqual(['NONE', ''])
})
