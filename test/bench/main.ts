/**
 * npm run bench: this broker and Apache Kafka 4.3.1 in turn under the same kafka-producer-perf-test and kafka-consumer-perf-test.
 * `--quick` takes under five minutes, `--rounds N` repeats, `--json FILE` writes the figures too. What a CPU-second of the
 * broker's process does is the figure to trust on a machine that also runs the client.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { DEFAULT_JVM, startApache } from '../tools/apache.ts'
import { kafkaJars } from '../tools/maven.ts'
import { startOurs } from '../tools/ours.ts'
import { requires } from '../tools/requires.ts'
import { FULL_LOADS, MAIN_LOAD } from './loads.ts'
import { reportOf, tableOf } from './report.ts'
import { type Figures, measureRound, type RoundOptions } from './round.ts'

const QUICK: RoundOptions & { rounds: number } = { loads: [MAIN_LOAD], latencySeconds: 8, rounds: 2 }
const FULL: RoundOptions & { rounds: number } = { loads: FULL_LOADS, latencySeconds: 20, rounds: 3 }

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean' }, json: { type: 'string' }, rounds: { type: 'string' } },
  })
  const mode = values.quick === true ? QUICK : FULL
  const rounds = values.rounds === undefined ? mode.rounds : Number(values.rounds)
  if (!(Number.isInteger(rounds) && rounds > 0))
    throw new Error(`--rounds ${values.rounds}: a positive integer is expected`)
  if (!requires('the bench', 'java', 'mvn')) return
  await kafkaJars()
  const ours: Figures[] = []
  const apache: Figures[] = []
  for (let round = 1; round <= rounds; round++) {
    ours.push(await measure(`ours ${round}/${rounds}`, () => measureRound(startOurs, mode)))
    apache.push(
      await measure(`Apache ${round}/${rounds}`, () => measureRound(() => startApache({ jvm: DEFAULT_JVM }), mode)),
    )
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
await main()
