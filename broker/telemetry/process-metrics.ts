import { collectDefaultMetrics, Registry } from 'prom-client'

/** CPU, memory, file descriptors, event loop and garbage collection of this process, in Prometheus' text format. */
export function processMetrics(): () => Promise<string> {
  const register = new Registry()
  collectDefaultMetrics({ register })
  return () => register.metrics()
}
