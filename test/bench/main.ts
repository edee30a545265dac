/**
 * npm run bench: this broker and Apache Kafka 4.3.1 in turn under the same kafka-producer-perf-test and kafka-consumer-perf-test.
 * `--quick` takes under five minutes, `--rounds N` repeats, `--json FILE` writes the figures too. What a CPU-second of the
 * broker's process does is the figure to trust on a machine that also runs the client. `--cluster` measures three nodes of each.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { DEFAULT_JVM, startApache } from '../tools/apache.ts'
import { kafkaJars } from '../tools/maven.ts'
import { startOurs } from '../tools/ours.ts'
import { requires } from '../tools/requires.ts'
import { type ClusterRoundOptions, measureClusterRound } from './cluster-round.ts'
import { CLUSTER_LOADS, FULL_LOADS, MAIN_LOAD, QUICK_CLUSTER_LOADS } from './loads.ts'
import { reportOf, tableOf } from './report.ts'
import { type Figures, measureRound, type RoundOptions } from './round.ts'

const QUICK: RoundOptions & { rounds: number } = { loads: [MAIN_LOAD], latencySeconds: 5, rounds: 2 }
const FULL: RoundOptions & { rounds: number } = { loads: FULL_LOADS, latencySeconds: 10, rounds: 3 }

const CLUSTER: ClusterRoundOptions = { loads: CLUSTER_LOADS, latencySeconds: 15, failovers: 3, partitions: 10_000 }
const QUICK_CLUSTER: ClusterRoundOptions = {
  loads: QUICK_CLUSTER_LOADS,
  latencySeconds: 5,
  failovers: 1,
  partitions: 1000,
}

interface Bench {
  readonly rounds: number
  readonly ours: () => Promise<Figures>
  readonly apache: () => Promise<Figures>
}

function benchOf(isCluster: boolean, isQuick: boolean): Bench {
  if (isCluster) {
    const mode = isQuick ? QUICK_CLUSTER : CLUSTER
    const round = (kind: 'ours' | 'apache') => (): Promise<Figures> => measureClusterRound(kind, mode)
    return { rounds: 1, ours: round('ours'), apache: round('apache') }
  }
  const mode = isQuick ? QUICK : FULL
  return {
    rounds: mode.rounds,
    ours: () => measureRound(startOurs, mode),
    apache: () => measureRound(() => startApache({ jvm: DEFAULT_JVM }), mode),
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      cluster: { type: 'boolean' },
      quick: { type: 'boolean' },
      json: { type: 'string' },
      rounds: { type: 'string' },
    },
  })
  const bench = benchOf(values.cluster === true, values.quick === true)
  const rounds = values.rounds === undefined ? bench.rounds : Number(values.rounds)
  if (!(Number.isInteger(rounds) && rounds > 0))
    throw new Error(`--rounds ${values.rounds}: a positive integer is expected`)
  if (!requires('the bench', 'java', 'mvn', 'python3')) return
  await kafkaJars()
  const ours: Figures[] = []
  const apache: Figures[] = []
  for (let round = 1; round <= rounds; round++) {
    ours.push(await measure(`ours ${round}/${rounds}`, bench.ours))
    apache.push(await measure(`Apache ${round}/${rounds}`, bench.apache))
  }
  const report = reportOf(ours, apache)
  process.stdout.write(`${tableOf(report)}\n`)
  const figures = { ours: report.ours, apache: report.apache, rounds: { ours, apache } }
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ ratios: report.ratios, figures }, null, 2)}\n`)
}

async function measure(name: string, body: () => Promise<Figures>): Promise<Figures> {
  const began = performance.now()
  const figures = await body()
  process.stderr.write(`${name}: ${((performance.now() - began) / 1000).toFixed(0)} s\n`)
  return figures
}

// The brokers are killed when this process exits; a signal alone would leave them.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
// The clients' timers keep no process alive, and a wait between two looks at the brokers may be all that there is.
const awake = setInterval(() => {}, 60_000)
await main()
clearInterval(awake)
