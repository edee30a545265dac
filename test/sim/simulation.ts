import { createHash } from 'node:crypto'

/** One way to put parts of the system together and to shake them. */
export interface Simulation {
  readonly name: string
  /** How many fixed seeds a run of the tests takes. */
  readonly seedsInTests: number
  /** Runs one seed to its end; throws where a rule did not hold. What it notes in the trace must depend on the seed alone. */
  run(seed: number, trace: Trace): Promise<void>
}

/** How much of the history is part of the message of a seed that failed. */
const TAIL_LINES = 60

/** What happened, in order, when, and to whom: equal traces are equal runs. */
export class Trace {
  /** The simulated time in ms; set by the simulation once it has a clock. */
  nowMs: () => number = () => 0
  readonly #lines: string[] = []

  /** `who`: the node or the client; '' for all. */
  note(line: string, who = ''): void {
    const at = (this.nowMs() / 1000).toFixed(4).padStart(9)
    this.#lines.push(`${at} ${who.padEnd(8)} ${line}`)
  }

  get count(): number {
    return this.#lines.length
  }
  get lines(): readonly string[] {
    return this.#lines
  }
  /** The latest lines. */
  get tail(): readonly string[] {
    return this.#lines.slice(-TAIL_LINES)
  }
  digest(): string {
    const hash = createHash('sha256')
    for (const line of this.#lines) hash.update(line).update('\n')
    return hash.digest('hex').slice(0, 16)
  }
}

export interface SeedResult {
  readonly seed: number
  readonly events: number
  readonly digest: string
  readonly simulatedMs: number
}

/** A seed that failed: the message names it, says how to run it again, and ends with the end of its history. */
export class SeedFailure extends Error {
  readonly code = 'SEED_FAILED'
  readonly seed: number
  readonly trace: Trace

  constructor(simulation: Simulation, seed: number, trace: Trace, cause: unknown) {
    const again = `npm run sim -- --only ${simulation.name} --from ${seed} --seeds 1`
    const events = trace.tail.map((line) => `    ${line}`).join('\n')
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(`${simulation.name}: seed ${seed} failed: ${reason}\n  again: ${again}\n  last events:\n${events}`, { cause })
    this.seed = seed
    this.trace = trace
  }
}

/** Runs one seed. Rejects with SeedFailure. */
export async function runSeed(simulation: Simulation, seed: number, trace = new Trace()): Promise<SeedResult> {
  try {
    await simulation.run(seed, trace)
  } catch (error) {
    throw new SeedFailure(simulation, seed, trace, error)
  }
  return { seed, events: trace.count, digest: trace.digest(), simulatedMs: trace.nowMs() }
}
