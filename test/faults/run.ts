import { type Scenario } from './scenarios.ts'
import { World, type WorldOptions } from './world.ts'

/** What there is when everything that comes before has been done, without any fault. */
export async function beginningOf({ before }: Scenario): Promise<World> {
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
