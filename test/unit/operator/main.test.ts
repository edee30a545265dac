import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import { KafkaError } from '../../../broker/client/kafka-error.ts'
import { wordsFor } from '../../../operator/cli.ts'
import { LocalError } from '../../../operator/local/local-error.ts'
import { TopicRefusal } from '../../../operator/topic/admin.ts'

const ROOT = resolve(import.meta.dirname, '../../..')

test('a command that waits for its next attempt goes on', async () => {
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    socket.destroy()
    if (connections > 2) server.emit('tried')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const argv = ['operator/main.ts', 'import', '--bootstrap', `127.0.0.1:${port}`]
  const child = spawn(process.execPath, argv, { cwd: ROOT, stdio: 'ignore' })
  const ended = once(child, 'close').then(([code]) => `it has ended with ${code}`)
  const seen = await Promise.race([once(server, 'tried').then(() => 'tried again'), ended])
  child.kill('SIGKILL')
  await ended
  server.close()
  expect(seen).toBe('tried again')
})

test('what the user or the cluster is about is told in a line, what is a bug with its stack', () => {
  const flag = Object.assign(new TypeError("Unknown option '--x'"), { code: 'ERR_PARSE_ARGS_UNKNOWN_OPTION' })
  const network = KafkaError.network('no connection to broker:9092')
  const refusal = new TopicRefusal('INVALID_CONFIG', 'retention.ms cannot be that')
  for (const error of [flag, network, refusal, new LocalError('no file')]) expect(wordsFor(error)).toBe(error.message)
  expect(wordsFor(new TypeError('x is not a function'))).toContain('main.test.ts')
})

test.each([[['--help']], [['local', '--help']], [['import', '-h']]])('who asks for help gets it: %j', (argv) => {
  const { status, stdout, stderr } = run(argv)
  expect([status, stderr]).toEqual([0, ''])
  expect(stdout).toContain('usage: node operator/main.ts run')
})

test('a command that there is not is named', () => {
  const { status, stdout, stderr } = run(['lokal'])
  expect([status, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(/^there is no command lokal\nusage: /)
})

function run(argv: readonly string[]) {
  return spawnSync(process.execPath, ['operator/main.ts', ...argv], { cwd: ROOT, encoding: 'utf8' })
}
