import { describe, expect, test } from '@jest/globals'
import { FetchPlan } from '../../../broker/replication/fetch-plan.ts'
import { Followed } from '../../../broker/replication/followed.ts'
import { FetchBed } from './fetch-clients.ts'

const nobody = (): boolean => false

/** A plan with the session that its leader has given it, and what it follows. */
async function planOf(count: number) {
  const bed = await FetchBed.open(count)
  const plan = new FetchPlan()
  const followed = bed.partitions.map((partition) => new Followed(partition, 3))
  for (const each of followed) plan.add(each)
  plan.next(nobody)
  plan.answered(5)
  return { bed, plan, followed }
}

const told = (plan: FetchPlan) => {
  const next = plan.next(nobody)
  const indexes = (partitions: readonly { readonly index: number }[] = []): number[] =>
    partitions.map(({ index }) => index)
  return next && { changed: indexes(next.changed), forgotten: indexes(next.forgotten) }
}

describe('what a follower asks its leader', () => {
  test('of 3,000 partitions is what has changed, and no other is looked at', async () => {
    const { plan, followed } = await planOf(3000)
    let looks = 0
    for (const each of followed) {
      const asked = each.asked()
      each.asked = () => (looks++, asked)
    }
    plan.changed(followed[1234] as Followed)
    expect(told(plan)).toEqual({ changed: [1234], forgotten: [] })
    expect(told(plan)).toEqual({ changed: [], forgotten: [] })
    expect(looks).toBe(1)
  })

  test('is nothing while everything is left out', async () => {
    const { plan, followed } = await planOf(2)
    for (const each of followed) plan.leave(each)
    expect([plan.hasWork, told(plan)]).toEqual([false, undefined])
    plan.resume(followed[1] as Followed)
    expect([plan.hasWork, told(plan)]).toEqual([true, { changed: [1], forgotten: [0] }])
  })

  test('is where a log begins, once that has changed; of one that is left out, when it is taken up again', async () => {
    const { bed, plan, followed } = await planOf(2)
    for (const index of [0, 1]) bed.append(index, 'a')
    plan.leave(followed[1] as Followed)
    expect(told(plan)).toEqual({ changed: [], forgotten: [1] })
    for (const index of [0, 1]) bed.partition(index).log.incrementLogStartOffset(1)
    expect(told(plan)).toEqual({ changed: [0], forgotten: [] })
    plan.resume(followed[1] as Followed)
    expect(told(plan)).toEqual({ changed: [1], forgotten: [] })
  })

  test('is nothing once what was left out is gone', async () => {
    const { bed, plan, followed } = await planOf(2)
    plan.leave(followed[0] as Followed)
    plan.remove(bed.partition(0).topicId, 0)
    expect(plan.hasWork).toBe(true)
    plan.remove(bed.partition(1).topicId, 1)
    expect(plan.hasWork).toBe(false)
  })

  test('is not changed by one that has been replaced, and is left out late', async () => {
    const { bed, plan, followed } = await planOf(2)
    plan.add(new Followed(bed.partition(0), 4))
    expect(told(plan)).toEqual({ changed: [0], forgotten: [] })
    plan.leave(followed[0] as Followed)
    expect(told(plan)).toEqual({ changed: [], forgotten: [] })
  })
})
