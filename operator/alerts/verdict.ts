import type { ExtraCondition } from '../api/conditions.ts'

/** How many a message names. */
const NAMED_MAX = 5

export interface Words {
  /** Of the condition while it is False. */
  readonly reason: string
  /** Comes before the names of what is bad. */
  readonly bad: string
  readonly well: string
}

/** False where something is `bad`, True where nothing is and all is known; else nothing can be said. */
export function verdict(type: string, isKnown: boolean, bad: readonly string[], words: Words): ExtraCondition[] {
  if (bad.length > 0) {
    return [{ type, status: 'False', reason: words.reason, message: `${words.bad}: ${named(bad)}` }]
  }
  return isKnown ? [{ type, status: 'True', reason: 'AllWell', message: words.well }] : []
}

/** The first few, and how many more there are. */
export function named(names: readonly string[]): string {
  const rest = names.length - NAMED_MAX
  return `${names.slice(0, NAMED_MAX).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}
