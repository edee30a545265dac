import { expect, test } from '@jest/globals'
import { GroupFlusher } from '../../../broker/storage/flusher.ts'

/** A flusher whose runs the test ends. */
function heldFlusher(): { flusher: GroupFlusher; ends: (() => void)[]; running: () => number } {
  const ends: (() => void)[] = []
  let running = 0
  const flusher = new GroupFlusher(() => {
    running++
    return new Promise((resolve) => {
      ends.push(() => {
        running--
        resolve()
      })
    })
  })
  return { flusher, ends, running: () => running }
}

/** Lets what is ready go on, `steps` deep. */
async function steps(count: number): Promise<void> {
  for (let step = 0; step < count; step++) await Promise.resolve()
}

test('calls during a flush share the next one', async () => {
  const { flusher, ends } = heldFlusher()
  void flusher.flush()
  expect(flusher.flush()).toBe(flusher.flush())
  ends[0]?.()
  await steps(10)
  expect(ends.length).toBe(2)
})

test.each([0, 1, 2, 3, 4, 5])(
  'one flush runs at a time, also where it is called %i steps after the end of one',
  async (count) => {
    const { flusher, ends, running } = heldFlusher()
    void flusher.flush()
    void flusher.flush()
    ends[0]?.()
    await steps(count)
    void flusher.flush()
    await steps(10)
    expect(running()).toBe(1)
  },
)
