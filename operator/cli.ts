import { parseArgs } from 'node:util'
import { nodeEnv } from '../broker/host/env.ts'
import { Admins } from './admins.ts'
import { runImport } from './import/run.ts'
import { LocalError } from './local/local-error.ts'
import { brokersMissing } from './specs/nodes.ts'

const USAGE = `usage: node operator/main.ts run [options]      the operator, in a pod or with a kubeconfig
       node operator/main.ts local [options]    KafkaCluster and KafkaTopic on this machine, without Kubernetes
       node operator/main.ts import [options]   prints the KafkaTopics of a cluster that is there, as YAML

run:    --image IMAGE             image of the brokers of Kafka 4.3 ($OTTLA_IMAGE)
        --images V=I,V=I          those of other versions, or another one of 4.3 ($OTTLA_IMAGES)
        --apache-images V=I,V=I   those of spec.distribution apache; default 4.3=apache/kafka:4.3.1 ($APACHE_IMAGES)
        --namespaces A,B          watch these; without it all ($WATCH_NAMESPACES)
        --leader-election BOOL    one operator of several works; default true ($LEADER_ELECTION)
        --namespace NAME          where its Lease is; default "default" ($POD_NAMESPACE)
        --lease NAME              its Lease, the same for all that take turns; default ottla-operator ($LEASE_NAME)
        --http HOST:PORT          /metrics, /healthz, /readyz; default 0.0.0.0:8080 ($HTTP_LISTEN)
        --console HOST:PORT       read-only web page; default 127.0.0.1:8081, for kubectl port-forward; "off" for none ($CONSOLE_LISTEN)
        --log-level LEVEL         default info ($LOG_LEVEL)
local:  --file PATH               YAML file or directory; default examples/quickstart
        --data DIR                default ./data
        --port N                  instead of the first listener's
        --metrics-port N          instead of 9404
import: --bootstrap A:P,B:P       brokers of the cluster
        --cluster NAME            the KafkaCluster that the topics will name; default kafka
        --cluster-namespace NAME  its namespace, where that is another one
        --namespace NAME          of the KafkaTopics
        --observe                 they are looked at and never changed (annotation kafka.ottla.dev/paused)
`

async function runOnThisMachine(args: readonly string[], stopSignal: () => AbortSignal): Promise<number> {
  // Only here: what evaluates the rules of the CRDs takes a tenth of a second to load.
  const { runLocal } = await import('./local/run.ts')
  const { values } = parseArgs({
    args: [...args],
    options: {
      file: { type: 'string', default: 'examples/quickstart' },
      data: { type: 'string', default: 'data' },
      port: { type: 'string' },
      'metrics-port': { type: 'string' },
    },
  })
  const env = nodeEnv()
  const addresses = new Map<string, { host: string; port: number }>()
  await using admins = new Admins(
    { bootstrapOf: (cluster) => addresses.get(cluster.metadata.name) ?? { host: '127.0.0.1', port: 0 } },
    env,
  )
  const options = {
    file: values.file,
    data: values.data,
    port: portOf(values.port),
    metricsPort: portOf(values['metrics-port']),
  }
  const deps = {
    ...env,
    print: (line: string) => void process.stdout.write(`${line}\n`),
    answers: async (cluster: Parameters<Admins['brokersOf']>[0], address: { host: string; port: number }) => {
      addresses.set(cluster.metadata.name, address)
      return brokersMissing(cluster, await admins.brokersOf(cluster)).length === 0
    },
    converge: (cluster: Parameters<Admins['converge']>[0], _: unknown, topic: Parameters<Admins['converge']>[1]) =>
      admins.converge(cluster, topic),
  }
  await runLocal(options, deps, stopSignal())
  return 0
}

function portOf(text: string | undefined): number | null {
  if (text === undefined) return null
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new LocalError(`${text} is not a port`)
  return port
}

const HELP: ReadonlySet<string> = new Set(['--help', '-h'])

async function perform([command, ...args]: readonly string[], stopSignal: () => AbortSignal): Promise<number> {
  if ([command ?? '', ...args].some((argument) => HELP.has(argument))) {
    process.stdout.write(USAGE)
    return 0
  }
  if (command === 'run') {
    // Only here: the Kubernetes client takes most of a second to load.
    const { runOperator } = await import('./run.ts')
    // Whatever still waits for an answer: one that has lost its lease must not linger.
    process.exit(await runOperator(args, stopSignal()))
  }
  if (command === 'local') return runOnThisMachine(args, stopSignal)
  if (command === 'import') {
    const print = (text: string): void => void process.stdout.write(text)
    return runImport(args, { ...nodeEnv(), print, warn: (line) => void process.stderr.write(`${line}\n`) })
  }
  process.stderr.write(command === undefined ? USAGE : `there is no command ${command}\n${USAGE}`)
  return 2
}

/**
 * Runs the command that the arguments name, those that go on until `stopSignal` is asked for and aborts; resolves with the exit code. What went
 * wrong is on the standard error.
 */
export async function runCommand(argv: readonly string[], stopSignal: () => AbortSignal): Promise<number> {
  try {
    return await perform(argv, stopSignal)
  } catch (error) {
    process.stderr.write(`${wordsFor(error)}\n`)
    return 1
  }
}

/** What went wrong: in a line where it has a code (flags, files, the network, what Kafka answers), a bug with its stack. */
export function wordsFor(error: unknown): string {
  if (error instanceof Error && 'code' in error) return error.message
  return String((error as Error)?.stack ?? error)
}
