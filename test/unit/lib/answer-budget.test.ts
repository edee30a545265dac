import { describe, expect, test } from '@jest/globals'
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

describe('a batch that is larger than its answer', () => {
  const batch = (bytes: number, takenBytes = 0) => ({ bytes, takenBytes, wake: () => {} })

  test('is given while there is room, and where nothing else is held, however large it is', () => {
    const budget = new AnswerBudget()
    expect(budget.hasRoom(batch(1000 * MIB))).toBe(true)
    budget.hold(200 * MIB)
    expect([56, 57].map((mib) => budget.hasRoom(batch(mib * MIB)))).toEqual([true, false])
  })

  test('is given beside what answers may come to without such batches, however large it is', () => {
    const budget = new AnswerBudget()
    budget.hold(128 * MIB)
    expect(budget.hasRoom(batch(300 * MIB))).toBe(true)
    budget.hold(1)
    expect([129, 300].map((mib) => budget.hasRoom(batch(mib * MIB)))).toEqual([false, false])
  })

  test('is given a client that has shown that it reads beside any number of others', () => {
    const budget = new AnswerBudget()
    budget.hold(256 * MIB)
    expect([batch(MIB), batch(MIB, 16 * MIB)].map((each) => budget.hasRoom(each))).toEqual([false, true])
    budget.hold(128 * MIB)
    expect(budget.hasRoom(batch(MIB, 1000 * MIB))).toBe(false)
  })

  test('waits until others have taken enough, as many at a time as there is room for', () => {
    const budget = new AnswerBudget()
    const woken: string[] = []
    const wait = (name: string, bytes: number) => {
      const waiting = { ...batch(bytes), wake: () => void woken.push(name) }
      budget.wait(waiting)
      return waiting
    }
    budget.hold(256 * MIB)
    const left = wait('left', MIB)
    wait('large', 3 * MIB)
    wait('small', MIB)
    wait('last', MIB)
    budget.cancel(left)
    budget.release(2 * MIB)
    expect([woken, budget.isWanted]).toEqual([['small', 'last'], true])
    budget.release(MIB)
    expect([woken, budget.isWanted]).toEqual([['small', 'last', 'large'], false])
  })
})
