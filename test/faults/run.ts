import { beforeAll, describe } from '@jest/globals'
import { type Scenario, SCENARIOS } from './scenarios.ts'
import { World, type WorldOptions } from './world.ts'

/** What there is when everything that comes before has been done, without any fault. */
async function beginningOf({ before }: Scenario): Promise<World> {
  const world = new World({ fault: null })
  for (const step of before) {
    step(world)
    await world.settle()
  }
  return world
}

/** The world in the end. */
export async function played({ act }: Scenario, beginning: World, options: WorldOptions): Promise<World> {
  const world = new World(options, beginning)
  await world.settle()
  world.arm()
  act(world)
  await world.end()
  return world
}

/** What a scenario begins with, and what comes of it where nothing goes wrong. */
export interface Played {
  readonly beginning: World
  readonly clean: World
}

/** The tests that `declare` declares, of each scenario; what they ask for is there once they run. */
export function describeScenarios(
  timeoutMs: number,
  declare: (scenario: Scenario, playedClean: () => Played) => void,
): void {
  describe.each(SCENARIOS)('$name', (scenario) => {
    let all: Played | undefined

    beforeAll(async () => {
      const beginning = await beginningOf(scenario)
      all = { beginning, clean: await played(scenario, beginning, { fault: null }) }
    }, timeoutMs)

    declare(scenario, () => {
      if (all === undefined) throw new Error('the scenario has not been played')
      return all
    })
  })
}
