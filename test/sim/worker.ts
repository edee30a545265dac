/** A process that runs the seeds that it is sent, one at a time: a bug that ends the process takes one seed with it, not the run. */
import { runSeed, SeedFailure } from './simulation.ts'
import { SIMULATIONS } from './simulations.ts'

/** One seed to run. */
export interface Job {
  readonly simulation: string
  readonly seed: number
}

export interface JobResult {
  readonly events: number
  readonly simulatedMs: number
  readonly realMs: number
  /** Of all threads of the process. */
  readonly cpuMs: number
  /** What was found; null: nothing. */
  readonly failure: string | null
  /** The history of a seed that failed. */
  readonly history: readonly string[]
  /** The process ends now. */
  readonly isLast?: boolean
}

async function run({ simulation: name, seed }: Job): Promise<JobResult> {
  const beganMs = performance.now()
  const before = process.cpuUsage()
  const spent = () => {
    const { user, system } = process.cpuUsage(before)
    return { realMs: performance.now() - beganMs, cpuMs: (user + system) / 1000 }
  }
  const simulation = SIMULATIONS.find((known) => known.name === name)
  if (simulation === undefined) throw new Error(`no such simulation: ${name}`)
  try {
    const { events, simulatedMs } = await runSeed(simulation, seed)
    return { events, simulatedMs, ...spent(), failure: null, history: [] }
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error)
    const history = error instanceof SeedFailure ? error.trace.lines : []
    return { events: 0, simulatedMs: 0, ...spent(), failure, history }
  }
}

let current = ''
// What nobody waits for must not fail either; the process is of no use after that.
process.on('unhandledRejection', (error) => {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const result: JobResult = {
    events: 0,
    simulatedMs: 0,
    realMs: 0,
    cpuMs: 0,
    failure: `${current} failed: nobody handled ${reason}`,
    history: [],
    isLast: true,
  }
  process.send?.(result, () => process.exit(1))
})

process.on('message', (job: Job) => {
  current = `${job.simulation}: seed ${job.seed}`
  void run(job).then((result) => process.send?.(result))
})
