import type { ScalingAdmin } from '../../operator/scaling/admin.ts'
import type { Voter } from '../../operator/scaling/quorum-plan.ts'

/** What scaling asks of Kafka, in memory. */
export class FakeScaling implements ScalingAdmin {
  readonly calls: string[] = []
  readonly cordoned = new Set<number>()
  readonly fenced = new Set<number>()
  readonly onDisk = new Map<number, number>()
  /** What every change rejects with. */
  failure: Error | null = null

  async addVoter(_: string, { id, directoryId }: Voter, { host, port }: { host: string; port: number }): Promise<void> {
    this.#change(`add ${id} ${directoryId} at ${host}:${port}`)
  }

  async removeVoter(_: string, { id, directoryId }: Voter): Promise<void> {
    this.#change(`remove ${id} ${directoryId}`)
  }

  async registered(): Promise<{ id: number; isFenced: boolean }[]> {
    return [...this.fenced].map((id) => ({ id, isFenced: true }))
  }

  async unregister(brokerId: number): Promise<void> {
    this.#change(`unregister ${brokerId}`)
    this.fenced.delete(brokerId)
  }

  async isCordoned(brokerId: number): Promise<boolean> {
    return this.cordoned.has(brokerId)
  }

  async cordon(brokerId: number, isOn: boolean): Promise<boolean> {
    this.#change(`${isOn ? 'cordon' : 'uncordon'} ${brokerId}`)
    if (isOn) this.cordoned.add(brokerId)
    else this.cordoned.delete(brokerId)
    return true
  }

  async replicasOn(brokerId: number): Promise<number> {
    return this.onDisk.get(brokerId) ?? 0
  }

  #change(call: string): void {
    if (this.failure !== null) throw this.failure
    this.calls.push(call)
  }
}
