import { enableCompileCache } from 'node:module'

// As in main.ts: before the rest is loaded.
enableCompileCache()
const [{ formatCommand }, { NodeClock }, { NodeDisk }, { NodeRandom }] = await Promise.all([
  import('./format-command.ts'),
  import('./host/clock.ts'),
  import('./host/disk.ts'),
  import('./host/random.ts'),
])

process.exitCode = formatCommand(process.argv.slice(2), {
  disk: new NodeDisk(),
  clock: new NodeClock(),
  random: new NodeRandom(),
  environment: process.env,
  out: (line) => process.stdout.write(`${line}\n`),
  error: (line) => process.stderr.write(`${line}\n`),
})
