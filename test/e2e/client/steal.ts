import { readFileSync } from 'node:fs'
import { now } from './record.ts'

const SAMPLE_MS = 20
/** A latency that is longer is counted as it is. */
const KEPT_MS = 60_000
const MS_PER_TICK = 10
/** Of a line of /proc/stat: name, user, nice, system, idle, iowait, irq, softirq, steal. */
const STEAL_COLUMN = 8

interface Sample {
  readonly atMs: number
  readonly stolenMs: number
}

/**
 * How long the host of a virtual machine let its processors wait while they had something to do ("steal", proc(5)), all of them together. Nothing on
 * a machine of its own.
 */
export class Steal {
  readonly #samples: Sample[] = []
  readonly #read: () => string

  /** `read` gives the text of /proc/stat. */
  constructor(read: () => string = () => readFileSync('/proc/stat', 'utf8')) {
    this.#read = read
  }

  /** Looks from now on; keeps the process alive as little as anything else does that nobody waits for. */
  start(): void {
    setInterval(() => this.sample(now()), SAMPLE_MS).unref()
  }

  /** Ms, since the machine's start. */
  sample(atMs: number): number {
    const [all = ''] = this.#read().split('\n', 1)
    const stolenMs = Number(all.split(/ +/)[STEAL_COLUMN] ?? 0) * MS_PER_TICK
    this.#samples.push({ atMs, stolenMs })
    while ((this.#samples[0]?.atMs ?? atMs) < atMs - KEPT_MS) this.#samples.shift()
    return stolenMs
  }

  /** Ms that were stolen between two times, as far as has been looked: what came since the last look before `fromMs` counts. */
  between(fromMs: number, toMs: number): number {
    const at = (ms: number): number | undefined => this.#samples.findLast(({ atMs }) => atMs <= ms)?.stolenMs
    const first = this.#samples[0]?.stolenMs ?? 0
    return (at(toMs) ?? first) - (at(fromMs) ?? first)
  }
}
