import { createHash } from 'node:crypto'

/** One way to put parts of the system together and to shake them. */
export interface Simulation {
  readonly name: string
  /** How many fixed seeds a run of the tests takes. */
  readonly seedsInTests: number
  /** Runs one seed to its end; throws where a rule did not hold. What it notes in the trace must depend on the seed alone. */
  run(seed: number, trace: Trace): Promise<void>
}

/** What happened, in order: equal traces are equal runs. */
export class Trace {
  readonly #hash = createHash('sha256')
  readonly #last: string[] = []
  #count = 0

  note(line: string): void {
    this.#hash.update(line).update('\n')
    this.#count++
    this.#last.push(line)
    if (this.#last.length > 40) this.#last.shift()
  }

  get count(): number {
    return this.#count
  }
  /** The latest lines. */
  get tail(): readonly string[] {
    return this.#last
  }
  digest(): string {
    return this.#hash.digest('hex').slice(0, 16)
  }
}

export interface SeedResult {
  readonly seed: number
  readonly events: number
  readonly digest: string
}

/** Runs one seed. Throws an error that names the seed, and how to run it again. */
export async function runSeed(simulation: Simulation, seed: number): Promise<SeedResult> {
  const trace = new Trace()
  try {
    await simulation.run(seed, trace)
  } catch (error) {
    const again = `npm run sim -- --only ${simulation.name} --from ${seed} --seeds 1`
    const events = trace.tail.map((line) => `    ${line}`).join('\n')
    const message = error instanceof Error ? error.message : String(error)
    const text = `${simulation.name}: seed ${seed} failed: ${message}\n  again: ${again}\n  last events:\n${events}`
    throw new Error(text, { cause: error })
  }
  return { seed, events: trace.count, digest: trace.digest() }
}
