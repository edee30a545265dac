import { expect, test } from '@jest/globals'
import { Slots } from '../../../broker/host/slots.ts'

test('so many run at a time, in the order in which they came, and a failure frees its place', async () => {
  const slots = new Slots(2)
  const started: number[] = []
  const works = [0, 1, 2, 3].map((index) => {
    const work = Promise.withResolvers<number>()
    const outcome = slots.run(() => {
      started.push(index)
      return work.promise
    })
    return { ...work, outcome: outcome.catch((error: unknown) => error) }
  })
  expect(started).toEqual([0, 1])
  works[1]?.reject(new Error('one failed'))
  expect(await works[1]?.outcome).toEqual(new Error('one failed'))
  expect(started).toEqual([0, 1, 2])
  for (const [index, { resolve }] of works.entries()) resolve(index)
  expect((await Promise.all(works.map(({ outcome }) => outcome))).slice(2)).toEqual([2, 3])
})
