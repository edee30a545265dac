import type { ExtraCondition } from '../api/conditions.ts'
import type { Key } from '../api/resource.ts'
import type { Survey } from '../kafka/survey.ts'
import { Disks } from './disks.ts'
import { Lags } from './lags.ts'
import { verdict } from './verdict.ts'

/** The types of what `Surveys` gives. */
export const SURVEY_CONDITIONS: ReadonlySet<string> = new Set([
  'LogDirsOnline',
  'DisksHaveRoom',
  'DisksNotFilling',
  'OneActiveController',
  'ConsumersKeepUp',
])

interface Known {
  readonly disks: Disks
  readonly lags: Lags
  conditions: readonly ExtraCondition[]
}

/** What surveys have told of each cluster, as conditions. Paces take some time to be known again by another operator. */
export class Surveys {
  readonly #known = new Map<Key, Known>()

  /** Resolves with whether anything is said now that was not said before. `nowMs`: monotonic. */
  take(key: Key, survey: Survey, nowMs: number): boolean {
    const known = this.#known.get(key) ?? { disks: new Disks(), lags: new Lags(), conditions: [] }
    const before = JSON.stringify(known.conditions)
    known.conditions = [
      ...known.disks.take(survey, nowMs),
      ...activeController(survey),
      ...known.lags.take(survey.groups, nowMs),
    ]
    this.#known.set(key, known)
    return JSON.stringify(known.conditions) !== before
  }

  /** Those that are known; the others are as they were. */
  conditionsOf(key: Key): readonly ExtraCondition[] {
    return this.#known.get(key)?.conditions ?? []
  }

  forget(key: Key): void {
    this.#known.delete(key)
  }
}

/** A leader that has been replaced and does not know it yet is told by nobody a few minutes later. */
function activeController({ activeControllers }: Survey): ExtraCondition[] {
  const several = activeControllers.length > 1 ? activeControllers.map((id) => `node ${id}`) : []
  return verdict('OneActiveController', activeControllers.length === 1, several, {
    reason: 'SeveralLeaders',
    bad: 'nodes that each say that they are the active controller',
    well: `node ${activeControllers[0]} says that it is the active controller, and no other does`,
  })
}
