#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

/** Ctrl-C comes twice where npm passes on what the terminal has sent already. */
const SAME_SIGNAL_MS = 1000

/** A signal that aborts at SIGINT or SIGTERM; another one later ends the process. */
function stopSignal(): AbortSignal {
  const stop = new AbortController()
  let firstMs = 0
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (!stop.signal.aborted) firstMs = performance.now()
      else if (performance.now() - firstMs > SAME_SIGNAL_MS) process.exit(130)
      stop.abort(new Error(name))
    })
  }
  return stop.signal
}

// Before the rest is loaded: type stripping and compilation are most of a start.
enableCompileCache()
const [{ runCommand }, { keepAlive }] = await Promise.all([import('./cli.ts'), import('../broker/host/alive.ts')])
process.exitCode = await keepAlive(() => runCommand(process.argv.slice(2), stopSignal))
