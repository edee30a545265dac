import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startBound } from '../tools/bound-process.ts'
import { CACHE } from '../tools/cache.ts'
import { freePorts } from '../tools/node.ts'
import { describeWith } from '../tools/requires.ts'
import { run } from '../tools/run.ts'
import { installPackages } from './setup/setup.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
const READY = 'Ctrl-C stops it'
/** Some twenty programs are started from their sources, and stripping types is most of a start. */
const COMPILED = { NODE_COMPILE_CACHE: join(CACHE, 'npm-start') }

installPackages(['kcat'])

/** The command that `npm start` runs, with its output so far and its end. */
interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  output(): string
}

describeWith(['kcat'], 'npm start', () => {
  let data: string
  let port: number
  let metricsPort: number
  const running: ChildProcess[] = []

  beforeAll(async () => {
    data = mkdtempSync(join(tmpdir(), 'npm-start-'))
    ;[port, metricsPort] = (await freePorts(2)) as [number, number]
  })

  afterAll(() => {
    for (const child of running) child.kill('SIGKILL')
    rmSync(data, { recursive: true, force: true })
  })

  /** Resolves when the cluster is announced as ready, or when the command has ended. */
  async function start(...more: readonly string[]): Promise<Started> {
    const ports = more.length > 0 ? more : ['--port', String(port), '--metrics-port', String(metricsPort)]
    const args = ['operator/main.ts', 'local', '--data', data, ...ports]
    const child = startBound({ program: process.execPath, args, env: COMPILED }, { cwd: ROOT })
    running.push(child)
    let output = ''
    const ended = new Promise<number | null>((done) => child.once('close', done))
    const ready = new Promise<void>((done) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          output += chunk.toString()
          if (output.includes(READY)) done()
        })
      }
    })
    await Promise.race([ready, ended])
    return { child, ended, output: () => output }
  }

  const kcat = async (...args: string[]): Promise<string> =>
    (await run('kcat', ['-q', '-b', `127.0.0.1:${port}`, ...args], { input: 'one\ntwo\n', timeoutMs: 30_000 })).stdout

  test('announces the cluster of the quickstart, serves it, and finds its data at the next start', async () => {
    const first = await start()
    expect(first.output()).toContain(`127.0.0.1:${port}`)
    expect(first.output()).toContain(`http://127.0.0.1:${metricsPort}/metrics`)
    expect(first.output()).toMatch(/kcat -b \S+ -t hello/)
    await kcat('-P', '-t', 'hello')
    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
    expect(metrics).toContain('kafka_server_replicamanager_underreplicatedpartitions 0')

    first.child.kill('SIGINT')
    expect(await first.ended).toBe(0)

    const second = await start()
    expect((await kcat('-C', '-t', 'hello', '-e')).split('\n').sort()).toEqual(['', 'one', 'two'])

    const third = await start()
    expect(await third.ended).not.toBe(0)
    expect(third.output()).toMatch(/in use|already running/)

    second.child.kill('SIGTERM')
    expect(await second.ended).toBe(0)
  }, 90_000)

  test('runs the example of three brokers, and finds their data at the next start', async () => {
    // Below the ports that the system gives out: as many in a row as the cluster needs.
    const three = ['--file', 'examples/three-brokers.yaml', '--port', '20192', '--metrics-port', '20404']
    const all = ['-b', '127.0.0.1:20192,127.0.0.1:20193,127.0.0.1:20194']
    const first = await start(...three)
    expect(first.output()).toContain('127.0.0.1:20192,127.0.0.1:20193,127.0.0.1:20194')
    await kcat(...all, '-P', '-t', 'orders', '-X', 'acks=all')
    expect(await kcat(...all, '-L', '-t', 'orders')).toMatch(/replicas: \d,\d,\d, isrs: \d,\d,\d/)
    first.child.kill('SIGINT')
    expect(await first.ended).toBe(0)

    const second = await start(...three)
    expect((await kcat(...all, '-C', '-t', 'orders', '-e')).split('\n').sort()).toEqual(['', 'one', 'two'])
    second.child.kill('SIGTERM')
    expect(await second.ended).toBe(0)
  }, 120_000)
})
