import { expect, test } from '@jest/globals'
import { Slots } from '../../../broker/lib/slots.ts'

test('so much work goes on at a time, and what fails makes room as well', async () => {
  const slots = new Slots({ count: 2 })
  const ends: PromiseWithResolvers<number>[] = []
  const work = () => {
    const end = Promise.withResolvers<number>()
    ends.push(end)
    return end.promise
  }
  const results = [1, 2, 3, 4].map(() => slots.run(work))
  await Promise.resolve()
  expect(ends.length).toBe(2)
  ends[0]?.reject(new Error('no'))
  await expect(results[0]).rejects.toThrow('no')
  expect(ends.length).toBe(3)
  ends[1]?.resolve(1)
  ends[2]?.resolve(2)
  expect(await Promise.all([results[1], results[2]])).toEqual([1, 2])
  ends[3]?.resolve(3)
  expect(await results[3]).toBe(3)
})
