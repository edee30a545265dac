/** A node as Kubernetes shows it, and what is wanted of it. */
export interface NodeState {
  readonly podName: string
  /** Kafka's node.id. */
  readonly nodeId: number
  readonly isBroker: boolean
  readonly isController: boolean
  /**
   * - `ready`: it serves.
   * - `starting`: Kafka runs and is not ready; it may be recovering its log, which takes as long as it takes.
   * - `down`: Kafka does not run, or waits for a quorum that will never be: replacing the pod takes nothing away.
   * - `stopping`: it is being deleted.
   * - `missing`: there is no pod.
   */
  readonly phase: 'ready' | 'starting' | 'down' | 'stopping' | 'missing'
  /** What is the matter with one that is not ready, in words. */
  readonly trouble: string
  /** It is down, and does not get up: crashing, or its image cannot be had, or no pod can be made of it. */
  readonly isFailing: boolean
  /** Since when it has been (not) ready, in ms since 1970. */
  readonly sinceMs: number
  /** Why it has to start anew; none: it is as wanted. */
  readonly reasons: readonly string[]
  /** Somebody has asked for a restart of this very pod: also while it starts. */
  readonly isForced: boolean
  /** Why it must not be restarted now, or null. */
  readonly hold: string | null
}
