#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

/** Ctrl-C comes twice where npm passes on what the terminal has sent already. */
const SAME_SIGNAL_MS = 1000
const ALIVE_MS = 3_600_000

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
const { runCommand } = await import('./cli.ts')
// The timers of host/clock.ts keep no process alive: a command that only waits for its next attempt would end without a word.
const alive = setInterval(() => undefined, ALIVE_MS)
process.exitCode = await runCommand(process.argv.slice(2), stopSignal)
clearInterval(alive)
