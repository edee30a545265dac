import type { Resource } from './resource.ts'
import { GROUP } from './resource.ts'

/** On any of the operator's resources, `true`: what it stands for is looked at, and never changed. */
export const ANNOTATION_PAUSED = `${GROUP}/paused`

export function isPaused({ metadata }: Resource): boolean {
  return metadata.annotations?.[ANNOTATION_PAUSED] === 'true'
}
