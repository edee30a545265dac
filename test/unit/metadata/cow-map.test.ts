import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { CowMap } from '../../../broker/metadata/cow-map.ts'

function sorted(entries: Iterable<readonly [string, number]>): string[] {
  return [...entries].map(([key, value]) => `${key}=${value}`).toSorted()
}

test('edits behave as those of a Map, and leave the map before them alone', () => {
  const edit = fc.record({ key: fc.string({ maxLength: 2 }), value: fc.option(fc.nat()) })
  fc.assert(
    fc.property(fc.array(fc.array(edit, { maxLength: 20 }), { maxLength: 8 }), (rounds) => {
      let map = CowMap.empty<string, number>()
      const model = new Map<string, number>()
      for (const round of rounds) {
        const before = sorted(map.entries())
        const editor = map.edit()
        for (const { key, value } of round) {
          if (value === null) expect(editor.delete(key)).toBe(model.delete(key))
          else {
            editor.set(key, value)
            model.set(key, value)
          }
        }
        const next = editor.finish()
        expect(sorted(map.entries())).toEqual(before)
        expect(sorted(next.entries())).toEqual(sorted(model))
        expect(next.size).toBe(model.size)
        map = next
      }
    }),
  )
})

test('an editor that changed nothing gives the same map', () => {
  const map = CowMap.of([['a', 1]])
  expect(map.edit().finish()).toBe(map)
})
