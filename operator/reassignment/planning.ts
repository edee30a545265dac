import type { Clock } from '../../broker/env/clock.ts'
import { Turns } from '../../broker/lib/turns.ts'

/** A plan in the making, step by step. What it is does not depend on what happens between two steps. */
export type Planning<T> = Generator<void, T, void>

/** Makes a plan, and gives way to whatever else happens in this process: a lease that is to be renewed cannot wait for ten seconds. */
export async function inTurns<T>(planning: Planning<T>, clock: Clock): Promise<T> {
  const turns = new Turns({ clock })
  for (;;) {
    const step = planning.next()
    if (step.done === true) return step.value
    if (turns.isOver) await turns.next()
  }
}
