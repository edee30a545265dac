import { pino } from 'pino'
import { nodeEnv } from '../broker/host/env.ts'
import { shownCertificate } from '../broker/host/shown-certificate.ts'
import { Admins } from './admins.ts'
import { splitAddress } from './api/address.ts'
import { serveConsole } from './console.ts'
import { operatorFlags } from './flags.ts'
import { serveHttp } from './http.ts'
import { KubeRest } from './kube/rest.ts'
import { KubeTransport } from './kube/transport.ts'
import { OperatorMetrics } from './metrics.ts'
import { Operator } from './operator.ts'
import { bootstrapServers, INTERNAL_PORT } from './specs/nodes.ts'

/** The operator against a real API server until `signal` aborts. Returns the exit code: 1 where the lease was lost. */
export async function runOperator(args: readonly string[], signal: AbortSignal): Promise<number> {
  const flags = operatorFlags(args, process.env)
  const env = nodeEnv()
  const logger = pino({ level: flags.logLevel })
  const metrics = new OperatorMetrics()
  const transport = await KubeTransport.fromEnvironment()
  await using stack = new AsyncDisposableStack()
  const admins = stack.use(
    new Admins({ bootstrapOf: (cluster) => splitAddress(bootstrapServers(cluster, INTERNAL_PORT)) }, env),
  )
  stack.use(await serveHttp(flags.http, { registry: metrics.registry, isReady: () => true }))
  const apiFor = (of: AbortSignal) => new KubeRest({ signal: of }, { transport })
  if (flags.console !== null) {
    const { namespaces } = flags.operator
    stack.use(await serveConsole({ ...flags.console, namespaces }, { ...env, api: apiFor(signal), brokers: admins }))
  }
  const identity = `${process.env.POD_NAME ?? process.env.HOSTNAME ?? 'operator'}_${Buffer.from(env.random.bytes(4)).toString('hex')}`
  const deps = { ...env, apiFor, logger, metrics, admins, post, certificateAt: shownCertificate }
  const operator = new Operator({ ...flags.operator, identity }, deps)
  logger.info({ identity, namespaces: flags.operator.namespaces ?? 'all' }, 'operator started')
  const how = await operator.run(signal)
  logger.info({ how }, 'operator stopped')
  return how === 'lost' ? 1 : 0
}

/** Redirects are not followed: the path is Alertmanager's, whatever the URL of a custom resource answers. */
async function post(url: string, body: string, signal: AbortSignal): Promise<{ status: number }> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(url, { method: 'POST', redirect: 'manual', headers, body, signal })
  await answer.body?.cancel()
  return { status: answer.status }
}
