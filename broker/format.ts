import { formatCommand } from './format-command.ts'
import { NodeClock } from './host/clock.ts'
import { NodeDisk } from './host/disk.ts'
import { NodeRandom } from './host/random.ts'

process.exitCode = formatCommand(process.argv.slice(2), {
  disk: new NodeDisk(),
  clock: new NodeClock(),
  random: new NodeRandom(),
  out: (line) => process.stdout.write(`${line}\n`),
  error: (line) => process.stderr.write(`${line}\n`),
})
