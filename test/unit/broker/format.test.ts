import { expect, test } from '@jest/globals'
import { formatCommand } from '../../../broker/format-command.ts'
import { readBootstrap } from '../../../broker/controller/bootstrap.ts'
import { decodeSnapshot } from '../../../broker/raft/snapshot-file.ts'
import { readMetaProperties } from '../../../broker/storage/meta-properties.ts'
import { isUuid } from '../../../broker/lib/uuid.ts'
import { NodeCompute } from '../../../broker/host/compute.ts'
import { SimClock } from '../../fakes/clock.ts'
import { SimDisk } from '../../fakes/disk.ts'
import { SimRandom } from '../../fakes/random.ts'

const ID = '5Yi1kKp9T3-1e6cP3tYw6g'
const COMBINED = `process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=/a,/b
`
const DYNAMIC = `${COMBINED}controller.quorum.bootstrap.servers=localhost:9093\n`
const STATIC = `${COMBINED}controller.quorum.voters=1@localhost:9093\n`
const QUORUM = '/a/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint'

class Bench {
  readonly disk = new SimDisk()
  readonly out: string[] = []
  readonly errors: string[] = []

  constructor(properties = DYNAMIC) {
    this.disk.replaceFile('/server.properties', new TextEncoder().encode(properties))
  }

  run(...words: readonly string[]): number {
    const sinks = { out: (line: string) => this.out.push(line), error: (line: string) => this.errors.push(line) }
    return formatCommand(words, { disk: this.disk, clock: new SimClock(), random: new SimRandom(3), ...sinks })
  }

  format(...words: readonly string[]): number {
    return this.run('format', '-t', ID, '-c', '/server.properties', ...words)
  }

  voters() {
    const bytes = this.disk.readFile(QUORUM)
    return decodeSnapshot({ endOffset: 0, epoch: 0 }, bytes, new NodeCompute())
  }
}

test("every log directory is formatted, the metadata's with its voter", () => {
  const bench = new Bench()
  expect(bench.format('--standalone')).toBe(0)
  expect(bench.out).toEqual([
    "Bootstrap metadata: BootstrapMetadata(records=[ApiMessageAndVersion(FeatureLevelRecord(name='metadata.version', featureLevel=30) at version 0), ApiMessageAndVersion(FeatureLevelRecord(name='eligible.leader.replicas.version', featureLevel=1) at version 0)], metadataVersionLevel=30, source=format command)",
    'Formatting dynamic metadata voter directory /a with metadata.version 4.3-IV0.',
    'Formatting data directory /b with metadata.version 4.3-IV0.',
  ])
  const [a, b] = ['/a', '/b'].map((directory) => readMetaProperties(bench.disk, directory))
  expect(a).toMatchObject({ clusterId: ID, nodeId: 1 })
  expect(a?.directoryId).not.toBe(b?.directoryId)
  expect(bench.voters()).toMatchObject({ kraftVersion: 1, voters: [{ id: 1, directoryId: a?.directoryId }] })
  const compute = new NodeCompute()
  expect(readBootstrap('/a', { disk: bench.disk, compute })).toMatchObject([
    { value: { featureLevel: 30 } },
    { value: { featureLevel: 1 } },
  ])
})

test.each<[readonly string[], readonly number[]]>([
  [
    ['-r', '4.1-IV0'],
    [26, 1],
  ],
  [['-r', '4.0'], [25]],
  [['-f', 'eligible.leader.replicas.version=0'], [30]],
])('with %p the features have the levels %p', (words, levels) => {
  const bench = new Bench()
  bench.format('-s', ...words)
  const records = readBootstrap('/a', { disk: bench.disk, compute: new NodeCompute() })
  expect(records).toMatchObject(levels.map((featureLevel) => ({ value: { featureLevel } })))
})

test('without a command word, format is meant', () => {
  const bench = new Bench()
  expect(bench.run('--standalone', '-t', ID, '-c', '/server.properties')).toBe(0)
  expect(bench.disk.exists('/a/meta.properties')).toBe(true)
})

test('static voters need no snapshot', () => {
  const bench = new Bench(STATIC)
  expect(bench.format()).toBe(0)
  expect(bench.out[1]).toBe('Formatting metadata directory /a with metadata.version 4.3-IV0.')
  expect(bench.disk.exists(QUORUM)).toBe(false)
})

test('initial controllers are the voters, with the directory ids that are given', () => {
  const bench = new Bench()
  expect(bench.format('-I', `1@localhost:9093:${ID},2@[::1]:9094:JEXY6aqzQY-32P5TStzaFg`)).toBe(0)
  expect(readMetaProperties(bench.disk, '/a')?.directoryId).toBe(ID)
  expect(bench.voters().voters?.map(({ id, endpoints }) => [id, endpoints[0]?.host])).toEqual([
    [1, 'localhost'],
    [2, '::1'],
  ])
})

test('a formatted directory is left alone, or with -g passed over', () => {
  const bench = new Bench()
  bench.format('-s')
  expect(bench.format('-s')).toBe(1)
  expect(bench.errors).toEqual([
    'Log directory /a is already formatted. Use --ignore-formatted to ignore this directory and format the others.',
  ])
  expect(bench.format('-s', '-g')).toBe(0)
  expect(bench.out.at(-1)).toBe('All of the log directories are already formatted.')
})

test('with -g a directory that was added is formatted, and no other', () => {
  const bench = new Bench()
  bench.format('-s')
  const before = readMetaProperties(bench.disk, '/a')
  bench.disk.remove('/b')
  expect(bench.format('-s', '-g')).toBe(0)
  expect(readMetaProperties(bench.disk, '/a')).toEqual(before)
  expect(readMetaProperties(bench.disk, '/b')).toMatchObject({ clusterId: ID })
})

test('a directory of another cluster is refused, also with -g', () => {
  const bench = new Bench()
  bench.format('-s')
  expect(bench.run('format', '-g', '-s', '-t', 'other', '-c', '/server.properties')).toBe(1)
  expect(bench.errors).toEqual([`Invalid cluster.id in: /a/meta.properties. Expected other, but read ${ID}`])
})

test('a crash between two directories leaves whole ones: the rest is formatted with -g', () => {
  const bench = new Bench()
  bench.disk.fault = (_operation, path) => (path.startsWith('/b') ? 'EIO' : undefined)
  expect(bench.format('-s')).toBe(1)
  bench.disk.fault = undefined
  expect(bench.format('-s', '-g')).toBe(0)
  expect(readMetaProperties(bench.disk, '/b')).toMatchObject({ clusterId: ID })
})

test.each<[string, string, readonly string[], RegExp]>([
  ['no voters at all', DYNAMIC, [], /you must specify one of the following: --standalone/],
  ['static and dynamic voters', STATIC, ['-s'], /You cannot specify controller.quorum.voters and format/],
  [
    'a feature that is not complete',
    DYNAMIC,
    ['-s', '-f', 'group.version=1'],
    /No feature:group.version with feature level 1/,
  ],
  [
    'a feature that a release before its time has no records for',
    DYNAMIC,
    ['-s', '-r', '3.9', '-f', 'eligible.leader.replicas.version=1'],
    /^eligible.leader.replicas.version could not be set to 1 because it depends on metadata.version level 23$/,
  ],
  ['an unknown feature', DYNAMIC, ['-s', '-f', 'x=1'], /^Unsupported feature: x. Supported features are: /],
  [
    'an unknown release',
    DYNAMIC,
    ['-s', '-r', '9.9'],
    /^Unknown metadata.version '9.9'. Supported metadata.version are: 3.3-IV3, 3.4-IV0, .*, 4.2-IV1, 4.3-IV0$/,
  ],
  [
    'a metadata.version that is too old',
    DYNAMIC,
    ['-s', '-f', 'metadata.version=5'],
    /^No MetadataVersion with feature level 5. Valid feature levels are from 7 to 30.$/,
  ],
  [
    'a kraft.version that there is not',
    DYNAMIC,
    ['-s', '-f', 'kraft.version=2'],
    /^No feature:kraft.version with feature level 2$/,
  ],
  ['a level that is no short', DYNAMIC, ['-s', '-f', 'kraft.version=99999'], /unable to parse 99999 as a short.$/],
  [
    'a SCRAM credential',
    DYNAMIC,
    ['-s', '-S', 'SCRAM-SHA-256=[name=a,password=secret]'],
    /^--add-scram is not available in this version: SASL is not served.$/,
  ],
  ['kraft.version 0 with dynamic voters', DYNAMIC, ['-s', '-f', 'kraft.version=0'], /^Cannot set kraft.version to 0/],
  ['a malformed voter', DYNAMIC, ['-I', '1@localhost'], /dynamic voter|hostname/],
  ['two ways to name voters', DYNAMIC, ['-s', '-N'], /error: argument --no-initial-controllers\/-N: not allowed/],
  ['a flag without its value', DYNAMIC, ['-s', '-r'], /error: argument --release-version\/-r: expected one argument/],
  ['an unknown flag', DYNAMIC, ['--bogus'], /error: unrecognized arguments: '--bogus'/],
])('%s is refused', (_what, properties, words, message) => {
  const bench = new Bench(properties)
  expect(bench.format(...words)).toBe(1)
  expect(bench.errors.join('\n')).toMatch(message)
  expect(bench.disk.exists('/a')).toBe(false)
})

test('an older release has its metadata.version', () => {
  const bench = new Bench()
  expect(bench.format('-s', '-r', '3.9')).toBe(0)
  expect(bench.out[1]).toMatch(/with metadata.version 3.9-IV0.$/)
})

test.each<[readonly string[], readonly string[]]>([
  [
    [],
    [
      'metadata.version=30 (4.3-IV0)',
      'kraft.version=1',
      'transaction.version=0',
      'group.version=0',
      'eligible.leader.replicas.version=1',
      'share.version=0',
      'streams.version=0',
    ],
  ],
  [
    ['--release-version', '3.8'],
    [
      'metadata.version=20 (3.8)',
      'kraft.version=0',
      'transaction.version=0',
      'group.version=0',
      'eligible.leader.replicas.version=0',
      'share.version=0',
      'streams.version=0',
    ],
  ],
])('version-mapping %p tells the levels that format sets', (words, lines) => {
  const bench = new Bench()
  expect(bench.run('version-mapping', ...words)).toBe(0)
  expect(bench.out).toEqual(lines)
})

test('feature-dependencies tells what each level is built on', () => {
  const bench = new Bench()
  const features = ['eligible.leader.replicas.version=1', 'kraft.version=1', 'metadata.version=20', 'group.version=0']
  expect(bench.run('feature-dependencies', ...features.flatMap((feature) => ['-f', feature]))).toBe(0)
  expect(bench.out).toEqual([
    'eligible.leader.replicas.version=1 requires:',
    '    metadata.version=23 (4.0-IV1)',
    'kraft.version=1 has no dependencies.',
    'metadata.version=20 (3.8-IV0) has no dependencies.',
    'group.version=0 has no dependencies.',
  ])
})

test.each<[string, readonly string[], RegExp]>([
  ['version-mapping', ['-r', '3.2'], /^Unknown metadata.version '3.2'. Supported metadata.version are: 3.3-IV3, /],
  ['feature-dependencies', [], /error: argument --feature\/-f is required$/],
  ['feature-dependencies', ['-f', 'x=1'], /^Unknown feature: x$/],
  ['feature-dependencies', ['-f', 'x'], /^Invalid feature format: x. Expected format: 'feature=version' \(e\.g\. /],
  ['feature-dependencies', ['-f', 'x=y'], /^Invalid version format: y for feature x$/],
  ['feature-dependencies', ['-f', 'metadata.version=2'], /^Unknown metadata.version 2$/],
  ['feature-dependencies', ['-f', 'group.version=1'], /^Feature level 1 is not supported for feature group.version$/],
])('%s %p is refused', (command, words, message) => {
  const bench = new Bench()
  expect(bench.run(command, ...words)).toBe(1)
  expect(bench.errors.join('\n')).toMatch(message)
})

test('info tells what was found and what is wrong', () => {
  const bench = new Bench()
  bench.format('-s')
  bench.disk.remove('/b')
  const told = bench.out.length
  expect(bench.run('info', '-c', '/server.properties')).toBe(1)
  const { directoryId } = readMetaProperties(bench.disk, '/a') ?? {}
  expect(bench.out.slice(told)).toEqual([
    'Found log directory:',
    '  /a',
    '',
    `Found metadata: {cluster.id=${ID}, directory.id=${directoryId}, node.id=1, version=1}`,
    '',
    'Found problem:',
    '  /b does not exist',
    '',
  ])
})

test('random-uuid prints one', () => {
  const bench = new Bench()
  expect(bench.run('random-uuid')).toBe(0)
  expect(isUuid(bench.out[0] ?? '')).toBe(true)
})
