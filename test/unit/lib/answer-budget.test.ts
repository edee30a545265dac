import { expect, test } from '@jest/globals'
import { AnswerBudget } from '../../../broker/lib/answer-budget.ts'

const MIB = 1024 * 1024

test('the first answer may have all of fetch.max.bytes', () => {
  expect(new AnswerBudget().allowance(0)).toBeGreaterThan(55 * MIB)
})

test('answers become smaller while nobody takes them, and all of them stay within bounds', () => {
  const budget = new AnswerBudget()
  const sizes = Array.from({ length: 100 }, () => {
    const size = budget.allowance(0)
    budget.hold(size)
    return size
  })
  expect(sizes).toEqual(sizes.toSorted((one, other) => other - one))
  expect(sizes.at(-1)).toBe(64 * 1024)
  expect(budget.heldBytes).toBeLessThan(140 * MIB)
})

test('what an answer has already is not taken from it', () => {
  const budget = new AnswerBudget()
  budget.hold(200 * MIB)
  expect([budget.allowance(0), budget.allowance(MIB)]).toEqual([64 * 1024, MIB])
})

test('what was taken may be had again', () => {
  const budget = new AnswerBudget()
  const size = budget.allowance(0)
  budget.hold(size)
  budget.release(size)
  expect(budget.allowance(0)).toBe(size)
})
