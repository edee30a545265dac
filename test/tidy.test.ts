import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'

const ROOT = resolve(import.meta.dirname, '..')

/** What each layer may import: itself is implied. The one place that says so; docs/architecture.md tells why. */
const LEAVES = ['config', 'telemetry', 'security', 'quota']
const BELOW_STORAGE = ['records', 'schema', 'env', 'lib', ...LEAVES]
const BELOW_RAFT = ['storage', 'protocol', ...BELOW_STORAGE]
const BELOW_COORDINATOR = ['metadata', 'client', 'raft', ...BELOW_RAFT]
const BELOW_HANDLERS = ['coordinator', 'replication', 'controller', ...BELOW_COORDINATOR]
const BROKER_LAYERS: Record<string, readonly string[]> = {
  lib: [],
  env: ['lib'],
  schema: ['lib'],
  records: ['env', 'lib'],
  config: ['records', 'env', 'lib'],
  telemetry: ['records', 'env', 'lib'],
  security: ['records', 'env', 'lib'],
  quota: ['records', 'env', 'lib'],
  protocol: ['records', 'schema', 'lib'],
  host: ['env', 'lib'],
  storage: BELOW_STORAGE,
  raft: BELOW_RAFT,
  metadata: ['raft', ...BELOW_RAFT],
  client: ['raft', ...BELOW_RAFT],
  coordinator: BELOW_COORDINATOR,
  replication: BELOW_COORDINATOR,
  controller: BELOW_COORDINATOR,
  handlers: BELOW_HANDLERS,
  server: BELOW_HANDLERS,
  broker: ['server', 'handlers', ...BELOW_HANDLERS],
  main: ['broker', 'host', 'server', 'handlers', ...BELOW_HANDLERS],
}
const OPERATOR_LAYERS: Record<string, readonly string[]> = {
  api: [],
  runtime: ['api'],
  kube: ['api', 'runtime'],
  specs: ['api'],
  kafka: [],
  console: ['api', 'kafka'],
  topic: ['api', 'runtime', 'kube', 'specs'],
  cluster: ['api', 'runtime', 'kube', 'specs', 'kafka'],
  rolling: ['api', 'kube', 'specs', 'kafka', 'cluster'],
  scaling: ['api', 'kube', 'specs', 'kafka', 'cluster'],
  reassignment: ['api', 'kube', 'specs', 'kafka', 'cluster'],
  rebalance: ['api', 'runtime', 'kube', 'specs', 'kafka', 'cluster', 'reassignment'],
  listeners: ['api', 'kube', 'kafka', 'specs', 'cluster'],
  policy: ['api', 'kube', 'kafka', 'specs', 'cluster'],
  alerts: ['api', 'kube', 'kafka', 'specs', 'cluster'],
  dashboards: ['alerts'],
  local: ['api', 'specs'],
  operator: [
    'api',
    'runtime',
    'kube',
    'specs',
    'topic',
    'kafka',
    'console',
    'cluster',
    'rolling',
    'scaling',
    'reassignment',
    'rebalance',
    'listeners',
    'policy',
    'alerts',
  ],
  import: ['api', 'topic'],
  main: ['operator', 'api', 'runtime', 'kube', 'local', 'import', 'specs'],
}
const OPERATOR_FROM_BROKER = ['protocol', 'client', 'config', 'env', 'host', 'lib', 'telemetry']
/** Files straight under broker/ and operator/ that count as `main`: programs. */
const PROGRAMS = new Set([
  'broker/main.ts',
  'broker/run.ts',
  'broker/format.ts',
  'broker/await-files.ts',
  'operator/cli.ts',
  'operator/main.ts',
])

/** Line limits as a ratchet: a file that is over must not grow; lower the figure when it shrinks, never raise it. */
const LINES_MAX = 400
const OVER_THE_LIMIT: Record<string, number> = {}

/** Banned outside `host/`, and what to use instead. */
const BANNED: readonly [RegExp, string][] = [
  [/\bDate\.now\(|\bnew Date\(\)|\bperformance\./, 'Clock'],
  [/\bMath\.random\(/, 'Random'],
  [/\b(setTimeout|setInterval|setImmediate|queueMicrotask)\(|process\.nextTick/, 'Clock.setTimer, Clock.defer'],
  [/AbortSignal\.timeout|\bWeakRef\b/, 'Clock.setTimer'],
  [
    /from 'node:(net|fs|fs\/promises|tls|http|https|dns|dgram|timers|timers\/promises|crypto|zlib|os|child_process|worker_threads)'/,
    'a port of env/',
  ],
  [/\b(it|test|describe)\.(only|skip|todo)\b/, 'a test that runs'],
]

interface Source {
  readonly path: string
  readonly text: string
}

function sources(): Source[] {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts'], { cwd: ROOT, encoding: 'utf8' })
  return files
    .split('\n')
    .filter((path) => path !== '' && existsSync(join(ROOT, path)))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
}

function layerOf(path: string): { program: string; layer: string } {
  const [program = '', second = ''] = path.split('/')
  if (PROGRAMS.has(path)) return { program, layer: 'main' }
  return { program, layer: second.endsWith('.ts') ? program : second }
}

function importsOf(source: Source): string[] {
  return [...source.text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) =>
    relative(ROOT, resolve(ROOT, dirname(source.path), match[1] ?? '')),
  )
}

function mayImport(from: string, to: string): boolean {
  const a = layerOf(from)
  const b = layerOf(to)
  if (a.program === 'test') return true
  if (a.program === b.program && a.layer === b.layer) return true
  if (a.program === 'operator' && b.program === 'broker') return OPERATOR_FROM_BROKER.includes(b.layer)
  const layers = a.program === 'broker' ? BROKER_LAYERS : OPERATOR_LAYERS
  return a.program === b.program && (layers[a.layer] ?? []).includes(b.layer)
}

const all = sources()
const shipped = all.filter(({ path }) => path.startsWith('broker/') || path.startsWith('operator/'))

describe('tidy', () => {
  test('every import follows the table', () => {
    const wrong = shipped.flatMap((source) =>
      importsOf(source)
        .filter((target) => !mayImport(source.path, target))
        .map((target) => `${source.path} may not import ${target}`),
    )
    expect(wrong).toEqual([])
  })

  test('every folder is in the table', () => {
    const unknown = shipped
      .map(({ path }) => layerOf(path))
      .filter(({ program, layer }) => !((program === 'broker' ? BROKER_LAYERS : OPERATOR_LAYERS)[layer] !== undefined))
      .map(({ program, layer }) => `${program}/${layer}`)
    expect([...new Set(unknown)]).toEqual([])
  })

  test('nothing outside host touches the outside world directly', () => {
    // The operator's edge is its kube, local and main folders: what is pure there is listed by exclusion.
    const exempt =
      /^broker\/(host\/|main\.ts|run\.ts|format\.ts|await-files\.ts)|^operator\/(kube\/|local\/|main\.ts|operator\.ts)/
    const wrong = shipped
      .filter(({ path }) => !exempt.test(path))
      .flatMap(({ path, text }) =>
        BANNED.filter(([pattern]) => pattern.test(stripComments(text))).map(
          ([pattern, instead]) => `${path}: ${pattern.source}: use ${instead}`,
        ),
      )
    expect(wrong).toEqual([])
  })

  test('only kube imports the Kubernetes client', () => {
    const wrong = shipped.filter(
      ({ path, text }) => text.includes("'@kubernetes/client-node'") && !path.startsWith('operator/kube/'),
    )
    expect(wrong.map(({ path }) => path)).toEqual([])
  })

  test('no test is skipped or focused', () => {
    const wrong = all.filter(
      ({ path, text }) => path !== 'test/tidy.test.ts' && /\b(it|test|describe)\.(only|skip|todo)\b/.test(text),
    )
    expect(wrong.map(({ path }) => path)).toEqual([])
  })

  test(`no file is longer than ${LINES_MAX} lines`, () => {
    const wrong = all
      // Whoever changes what is generated changes what it is made of.
      .filter(({ text }) => !text.startsWith('// Generated from '))
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ path, lines }) => lines > (OVER_THE_LIMIT[path] ?? LINES_MAX))
    expect(wrong).toEqual([])
  })

  test('line limits are as tight as they can be', () => {
    const lengths = new Map(all.map(({ path, text }) => [path, text.split('\n').length - 1]))
    const loose = Object.entries(OVER_THE_LIMIT).filter(([path, limit]) => (lengths.get(path) ?? 0) < limit)
    expect(loose).toEqual([])
  })
})

function stripComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '')
}
