import { metadataVersionName } from '../../broker/protocol/metadata-version.ts'
import type { KafkaCluster } from '../api/resource.ts'
import type { Configured } from '../cluster/reconcile.ts'
import type { ClusterStep, ClusterView, StepResult } from '../cluster/step.ts'
import { metadataLevel } from '../cluster/version.ts'
import type { EventRecorder } from '../kube/events.ts'
import { isOnImage } from './images.ts'

interface Deps {
  /** Finalizes a level of metadata.version; lowers it only where no metadata is lost by that. Never rejects. */
  readonly setMetadataVersion: (cluster: KafkaCluster, level: number, isLower: boolean) => Promise<Configured>
  readonly events: Pick<EventRecorder, 'record'>
}

const AGAIN_MS = 3000

/**
 * metadata.version follows spec.metadataVersion or spec.version: it is raised once every node runs the image of that version, and lowered
 * before any node does.
 */
export class MetadataVersionStep implements ClusterStep {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  async run(view: ClusterView): Promise<StepResult> {
    const { cluster, kafka } = view
    if ('error' in kafka) return {}
    const status = { metadataVersion: metadataVersionName(kafka.metadataVersion.finalized) }
    const level = nextLevel(view)
    if (level === null) return { status }
    const { finalized } = kafka.metadataVersion
    const change = `metadata.version ${status.metadataVersion} -> ${metadataVersionName(level)}`
    const result = await this.#deps.setMetadataVersion(cluster, level, level < finalized)
    if ('refusal' in result) {
      const health = {
        state: 'stalled',
        reason: 'MetadataVersionRefused',
        message: `${change}: ${result.refusal}`,
      } as const
      return { status, health }
    }
    if ('error' in result) {
      const health = { state: 'progressing', reason: 'MetadataVersion', message: `${change}: ${result.error}` } as const
      return { status, health, requeueAfterMs: AGAIN_MS }
    }
    await this.#deps.events.record(cluster, {
      type: 'Normal',
      reason: 'MetadataVersion',
      action: 'Upgrade',
      note: change,
    })
    return { status: { metadataVersion: metadataVersionName(level) }, requeueAfterMs: AGAIN_MS }
  }
}

/** The level to finalize now, or null. Pure. */
export function nextLevel({ cluster, asked, kafka, observed, plan }: ClusterView): number | null {
  if ('error' in kafka) return null
  const { finalized, min, max } = kafka.metadataVersion
  const level = metadataLevel(asked.spec)
  if (level === undefined || level === null || finalized === 0 || level === finalized) return null
  if (level < finalized) return level >= min ? level : null
  const isEveryNodeNew = plan.version === asked.spec.version && isOnImage(cluster, observed.pods, plan.image)
  return isEveryNodeNew && level <= max ? level : null
}
