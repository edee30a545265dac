/**
 * node test/bench/tls.ts [ours|apache]: what TLS costs. The same load over PLAINTEXT and over TLS in turn, on one node; records a CPU-second
 * of the broker's process, each the best of its turns, which what else the machine does disturbs least.
 */
import { DEFAULT_JVM, startApache } from '../tools/apache.ts'
import { kafkaJars } from '../tools/maven.ts'
import { startOurs } from '../tools/ours.ts'
import { startTlsNode, type TlsNode } from '../tools/tls-node.ts'
import { consume, produce, withCpu } from './perf.ts'

const TURNS = 3
const LOAD = { recordBytes: 1024, records: 250_000 }
const LARGE_BATCHES = ['batch.size=131072', 'linger.ms=5']

type Best = Record<string, number>

async function measure(tls: TlsNode): Promise<Best> {
  const ssl = ['security.protocol=SSL', 'ssl.truststore.type=PEM', `ssl.truststore.location=${tls.authorityFile}`]
  const best: Best = {}
  // The first turn is for the compilers.
  for (let turn = 0; turn <= TURNS; turn++) {
    for (const listener of ['PLAINTEXT', 'TLS']) {
      const own = listener === 'TLS' ? ssl : []
      const told = await oneTurn(tls, listener, `${listener}-${turn}`, own)
      if (turn > 0) for (const [name, rate] of Object.entries(told)) best[name] = Math.max(best[name] ?? 0, rate)
    }
  }
  return best
}

async function oneTurn(tls: TlsNode, listener: string, topic: string, properties: readonly string[]): Promise<Best> {
  const address = tls.bootstrap(listener)
  const rateOf = async (body: () => Promise<unknown>): Promise<number> => {
    const { cpuSeconds } = await withCpu([tls.node.pid], body)
    return Math.round(LOAD.records / cpuSeconds)
  }
  const large = { ...LOAD, name: `${topic}-large`, properties: [...properties, ...LARGE_BATCHES] }
  return {
    [`produce ${listener}`]: await rateOf(() => produce(address, { ...LOAD, name: topic, properties })),
    [`produce 128 KiB batches ${listener}`]: await rateOf(() => produce(address, large)),
    [`consume ${listener}`]: await rateOf(() => consume(address, large.name, LOAD.records, properties)),
  }
}

await kafkaJars()
const isApache = process.argv[2] === 'apache'
const tls = await startTlsNode({
  start: isApache ? (options) => startApache({ ...options, jvm: DEFAULT_JVM }) : startOurs,
  overrides: { 'auto.create.topics.enable': 'true', 'num.partitions': '3' },
})
try {
  process.stdout.write(`${JSON.stringify(await measure(tls), null, 2)}\n`)
} finally {
  await tls.stop()
}
