import { expect, test } from '@jest/globals'
import { AdminClient } from '../../../broker/client/admin-client.ts'
import { committedOffsets } from '../../../broker/client/admin-groups.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { SimClock } from '../../fakes/clock.ts'
import { SimRandom } from '../../fakes/random.ts'
import { FakeBroker, FakeNetwork } from './fake-broker.ts'

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAABA'

/** What a coordinator says of the offsets of `a` and `b`, whose error codes are told one after the other, and how often it is asked. */
async function offsetsOf(...errorCodes: readonly number[]) {
  const network = new FakeNetwork()
  const clock = new SimClock()
  const left = [...errorCodes]
  const broker = new FakeBroker({
    [ApiKey.DescribeCluster]: () => ({ brokers: [{ brokerId: 1, host: 'b1', port: 9092 }] }),
    [ApiKey.OffsetFetch]: ({ groups }) => {
      const errorCode = left.shift() ?? ErrorCode.NONE
      const topics = [{ topicId: TOPIC_ID, partitions: [{ partitionIndex: 0, committedOffset: 7n }] }]
      return {
        groups: groups.map(({ groupId }) =>
          groupId === 'b' && errorCode !== ErrorCode.NONE ? { groupId, errorCode } : { groupId, topics },
        ),
      }
    },
  })
  network.brokers.set('b1:9092', broker)
  const bootstrap = [{ host: 'b1', port: 9092 }]
  const client = new AdminClient({ bootstrap }, { network, clock, random: new SimRandom(1) })
  const offsets = clock.runFor(committedOffsets(client, 1, ['a', 'b']), 200_000)
  const found = await offsets.catch((error: unknown) => error)
  return { found, asked: broker.requests.filter((request) => request.startsWith('OffsetFetch')).length }
}

const OFFSETS = [{ topic: '', topicId: TOPIC_ID, partition: 0, offset: 7 }]

test('the offsets of groups are told by group', async () => {
  expect(await offsetsOf()).toEqual({ found: new Map(['a', 'b'].map((id) => [id, OFFSETS])), asked: 1 })
})

test('a group that is being loaded is asked for again, and not one without offsets', async () => {
  const { found, asked } = await offsetsOf(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
  expect(found).toEqual(new Map(['a', 'b'].map((id) => [id, OFFSETS])))
  expect(asked).toBe(2)
})

test.each(['NOT_COORDINATOR', 'GROUP_AUTHORIZATION_FAILED'] as const)(
  'a group that is %s is an error',
  async (code) => {
    const { found, asked } = await offsetsOf(ErrorCode[code])
    expect(found).toMatchObject({ code })
    expect(asked).toBe(1)
  },
)
