import type { Planning } from '../../operator/reassignment/planning.ts'

/** Makes a plan without giving way. */
export function atOnce<T>(planning: Planning<T>): T {
  for (;;) {
    const step = planning.next()
    if (step.done === true) return step.value
  }
}
