import { expect, test } from '@jest/globals'
import { Batcher } from '../../../../operator/topic/batcher.ts'

function sending(weightMax = 100) {
  const batches: number[][] = []
  const gates: PromiseWithResolvers<void>[] = []
  const batcher = new Batcher<number, string>({ weightMax, weightOf: (item) => item }, async (items) => {
    batches.push([...items])
    const gate = Promise.withResolvers<void>()
    gates.push(gate)
    await gate.promise
    return items.map(String)
  })
  return { batcher, batches, gates }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

test('what is asked for while a batch is under way is the next one', async () => {
  const { batcher, batches, gates } = sending()
  const answers = [1, 2].map((item) => batcher.ask(item))
  await settle()
  answers.push(...[3, 4, 5].map((item) => batcher.ask(item)))
  gates[0]?.resolve()
  await settle()
  gates[1]?.resolve()
  expect(await Promise.all(answers)).toEqual(['1', '2', '3', '4', '5'])
  expect(batches).toEqual([
    [1, 2],
    [3, 4, 5],
  ])
})

test('a batch is no heavier than it may be, unless one item alone is', async () => {
  const { batcher, batches, gates } = sending(5)
  const answers = Promise.all([9, 2, 3, 1].map((item) => batcher.ask(item)))
  for (const index of [0, 1, 2]) {
    await settle()
    gates[index]?.resolve()
  }
  await answers
  expect(batches).toEqual([[9], [2, 3], [1]])
})

test('a batch that fails, fails for its callers only', async () => {
  const { batcher, gates } = sending()
  const first = batcher.ask(1)
  await settle()
  const second = batcher.ask(2)
  gates[0]?.reject(new Error('gone'))
  await expect(first).rejects.toThrow('gone')
  await settle()
  gates[1]?.resolve()
  expect(await second).toBe('2')
})
