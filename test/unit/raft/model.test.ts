import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Model } from './model.ts'

const KINDS = ['tick', 'deliver', 'repeat', 'drop', 'crash', 'append', 'sync', 'fetch', 'lost', 'resign'] as const

type Action = readonly [(typeof KINDS)[number], number]

function perform(model: Model, [kind, at]: Action): void {
  switch (kind) {
    case 'tick':
      return model.tick(at)
    case 'deliver':
      return model.deliver(at, true)
    case 'repeat':
      return model.deliver(at, false)
    case 'drop':
      return model.drop(at)
    case 'crash':
      return model.crash(at)
    case 'append':
      return model.append(at)
    case 'sync':
      return model.sync(at)
    case 'fetch':
      return model.fetch(at)
    case 'lost':
      return model.leaderLost(at)
    default:
      return model.resign(at)
  }
}

const WEIGHTS = {
  tick: 6,
  deliver: 90,
  repeat: 6,
  drop: 2,
  crash: 1,
  append: 10,
  sync: 30,
  fetch: 40,
  lost: 2,
  resign: 1,
}

const action: fc.Arbitrary<Action> = fc.oneof(
  ...KINDS.map((kind) => ({
    weight: WEIGHTS[kind],
    arbitrary: fc.tuple(fc.constant(kind), fc.integer({ min: 0, max: 99 })),
  })),
)

test.each([2, 3, 5])(
  'of %p voters, in whatever order things happen: one leads an epoch, has all that is committed, and nothing goes back',
  (size) => {
    let committed = 0
    let leaders = 0
    fc.assert(
      fc.property(fc.array(action, { minLength: 50, maxLength: 800, size: 'max' }), (actions) => {
        const model = new Model(size)
        for (const next of actions) perform(model, next)
        expect(model.problems).toEqual([])
        committed += model.committed
        leaders += model.leaders
      }),
      { numRuns: 400 },
    )
    // The schedules lead somewhere: there were elections, and records that a majority had.
    expect(leaders).toBeGreaterThan(100)
    expect(committed).toBeGreaterThan(100)
  },
)
