import { brokerSimulation } from './broker.ts'
import { clusterSimulation } from './cluster/cluster.ts'
import { raftSimulation } from './raft/raft.ts'
import type { Simulation } from './simulation.ts'
import { storageSimulation } from './storage.ts'

/** All that `npm run sim` runs. */
export const SIMULATIONS: readonly Simulation[] = [
  storageSimulation,
  raftSimulation,
  brokerSimulation,
  clusterSimulation,
]
