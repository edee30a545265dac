/** What the metadata log says of one partition, as far as this broker acts on it. */
export interface PartitionState {
  readonly leader: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  /** Who may lead, besides the ISR, once that is empty (KIP-966). */
  readonly eligibleLeaderReplicas?: readonly number[]
  /** Replicas that a reassignment adds and takes away (KIP-455). */
  readonly addingReplicas?: readonly number[]
  readonly removingReplicas?: readonly number[]
}
