import type { KafkaCluster } from '../api/resource.ts'
import type { Voter } from './quorum-plan.ts'

/** What scaling asks of a cluster. Everything rejects with KafkaError, or with what the connection fails with. */
export interface ScalingAdmin {
  addVoter(clusterId: string, voter: Voter, address: { readonly host: string; readonly port: number }): Promise<void>
  removeVoter(clusterId: string, voter: Voter): Promise<void>
  /** Every broker that is registered; those that are away too. */
  registered(): Promise<readonly { readonly id: number; readonly isFenced: boolean }[]>
  unregister(brokerId: number): Promise<void>
  /** Whether a running broker takes no new replicas (KIP-1066). */
  isCordoned(brokerId: number): Promise<boolean>
  /** Resolves with false where the cluster's metadata.version has no cordons. */
  cordon(brokerId: number, isOn: boolean): Promise<boolean>
  /** How many replicas a running broker has on its disks, whatever the controller thinks. */
  replicasOn(brokerId: number): Promise<number>
}

export type ScalingAdminOf = (cluster: KafkaCluster) => ScalingAdmin
