import { enableCompileCache } from 'node:module'
import { mapStackTraces } from './host/source-maps.ts'

// Before the rest is loaded: type stripping and compilation are most of a start.
enableCompileCache()
mapStackTraces()
const { runBroker } = await import('./run.ts')
process.exitCode = await runBroker(process.argv.slice(2))
