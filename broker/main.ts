import { enableCompileCache } from 'node:module'

// Before the rest is loaded: type stripping and compilation are most of a start.
enableCompileCache()
const { runBroker } = await import('./run.ts')
process.exitCode = await runBroker(process.argv.slice(2))
