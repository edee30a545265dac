import type { Mutant } from '../planted.ts'

/** Elections, and what brokers are told of them. */
export const CONTROLLER: readonly Mutant[] = [
  {
    name: 'the controller answers before its records are committed',
    simulation: 'cluster',
    file: 'broker/controller/metadata-writer.ts',
    from: '    await this.#pending\n    return response',
    to: '    this.#pending.catch(() => undefined)\n    return response',
  },
  {
    name: 'a leader need not be in sync',
    simulation: 'cluster',
    file: 'broker/controller/election.ts',
    from: 'const isClean = (id: number) => (isr.length > 0 ? isr : elr).includes(id) && mayLead(id)',
    to: 'const isClean = (id: number) => isr.length + elr.length >= 0 && mayLead(id)',
  },
  {
    name: 'a new leader has the epoch of the one before',
    simulation: 'cluster',
    file: 'broker/metadata/partition-after.ts',
    from: 'isElection ? before.leaderEpoch + 1 : before.leaderEpoch',
    to: 'isElection ? before.leaderEpoch : before.leaderEpoch',
    isQuick: true,
  },
  {
    name: 'a broker is not fenced when it has fallen silent',
    simulation: 'cluster',
    file: 'broker/controller/controller.ts',
    from: 'fenceSilent: (intervalMs) => this.#brokers.fenceSilent(intervalMs),',
    to: 'fenceSilent: () => undefined,',
  },
  {
    name: 'a broker that has lost power stays eligible to lead',
    simulation: 'cluster',
    file: 'broker/controller/leader-changes.ts',
    from: 'isr: isr.filter((id) => id !== brokerId),\n    mayHaveLost: brokerId,',
    to: 'isr: isr.filter((id) => id !== brokerId),',
  },
]
