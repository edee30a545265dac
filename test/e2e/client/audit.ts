import { type Told, toldBy } from './record.ts'

const PROBLEMS_MAX = 10

/**
 * Of a topic to which one idempotent producer writes numbered records, and nobody else, each partition's record n is at offset n. That is what is
 * checked: a record that is lost, twice there or out of order shifts those behind it, and offsets that are passed over are records that were not read.
 */
export class Audit {
  /** Of each partition, the offset up to which every record has been seen. */
  readonly next: number[]
  /** The first few. */
  readonly problems: string[] = []
  /** Records that were seen before. */
  again = 0

  constructor(partitions: number) {
    this.next = Array.from({ length: partitions }, () => 0)
  }

  /** Takes what a consumer was given, and gives what the record says of itself. */
  see(partition: number, offset: number, value: string): Told {
    const told = toldBy(value)
    if (told.partition !== partition || told.sequence !== offset) {
      this.#report(`partition ${partition} offset ${offset} has record ${told.sequence} of partition ${told.partition}`)
    }
    const next = this.next[partition] ?? 0
    if (offset < next) this.again += 1
    else this.next[partition] = offset + 1
    if (offset > next) this.#report(`partition ${partition}: offsets ${next} to ${offset - 1} were passed over`)
    return told
  }

  #report(problem: string): void {
    if (this.problems.length < PROBLEMS_MAX) this.problems.push(problem)
  }
}
