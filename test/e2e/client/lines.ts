import type { Counts } from './histogram.ts'

/** How often each program of the load says what it has done since it last did, in a line of JSON. */
const EVERY_MS = 1000

interface Line {
  /** As `now` of record.ts. */
  readonly atMs: number
}

/** Of franz-go: `test/conformance/clients/franz-go/write.go`. */
export interface WriterLine extends Line {
  /** Records of each partition that have been acknowledged, since the beginning. */
  readonly acknowledged: readonly number[]
  /** From when records were due to when they were acknowledged, without what the machine's host took of it. */
  readonly latencies: Counts
  /** The same by the clock. */
  readonly elapsed: Counts
  /** Ms of processor time that the host took meanwhile. */
  readonly stolenMs: number
  /** Nothing is written after it. */
  readonly isLast: boolean
}

export interface ReaderLine extends Line {
  /** Of each partition, the offset up to which every record has been seen, since the beginning. */
  readonly next: readonly number[]
  /** Records that were read a second time: somebody took over from a member that had not committed them yet. */
  readonly again: number
  /** From when records were due to be written to when they were read. */
  readonly delays: Counts
  /** What was wrong with what has been read since the beginning; the first few. */
  readonly problems: readonly string[]
}

export interface WatcherLine extends Line {
  /** How often the brokers were asked, and how often none answered. */
  readonly looks: number
  readonly failures: number
  readonly partitions: number
  /** Partitions with a replica that is not in sync, at the last look. */
  readonly underReplicated: number
  /** With fewer replicas in sync than they need, at any look. */
  readonly below: readonly string[]
  /** Brokers with a replica of anything, at the last look. */
  readonly holders: readonly number[]
  /** Fewest replicas in sync that any partition had at any look. */
  readonly leastIsr: number
}

/** Has `line` printed until the process is told to end (SIGTERM); then `end` is awaited, and it is printed once more. */
export function tell(line: () => object, end: () => Promise<unknown>): void {
  const print = (): boolean => process.stdout.write(`${JSON.stringify(line())}\n`)
  const timer = setInterval(print, EVERY_MS)
  process.once('SIGTERM', () => {
    clearInterval(timer)
    void end().then(() => {
      print()
      process.exit()
    })
  })
}
