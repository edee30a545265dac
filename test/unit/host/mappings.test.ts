import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import { transformSync } from 'esbuild'
import { Mappings, type Origin } from '../../../broker/host/mappings.ts'

/** A file of ours as it is bundled. */
const FILE = resolve(import.meta.dirname, '../../../broker/host/mappings.ts')

interface Map {
  readonly sources: string[]
  readonly mappings: string
}

test('every position of a bundle comes from where Node says', () => {
  const { code, map } = transformSync(readFileSync(FILE, 'utf8'), {
    loader: 'ts',
    sourcemap: true,
    sourcefile: 'mappings.ts',
  })
  const parsed = JSON.parse(map) as Map
  const mappings = new Mappings(parsed.sources, parsed.mappings)
  const nodes = new SourceMap(JSON.parse(map) as never)
  const places = code
    .split('\n')
    .flatMap((text, line) => Array.from({ length: text.length }, (_, column) => [line + 1, column + 1] as const))
  const ours = places.map(([line, column]) => mappings.origin(line, column))
  const theirs = places.map(([line, column]): Origin => {
    const origin = nodes.findOrigin(line, column) as { fileName: string; lineNumber: number; columnNumber: number }
    return { source: origin.fileName, line: origin.lineNumber, column: origin.columnNumber }
  })
  expect(places.length).toBeGreaterThan(2000)
  expect(ours).toEqual(theirs)
})

test('what was added by the bundler comes from nowhere', () => {
  // Nothing on the first line; on the second, from column 5 on, line 3 of the source; then four columns without an origin.
  const mappings = new Mappings(['a.ts'], ';IAEA,I')
  expect(mappings.origin(1, 1)).toBeNull()
  expect(mappings.origin(2, 4)).toBeNull()
  expect(mappings.origin(2, 5)).toEqual({ source: 'a.ts', line: 3, column: 1 })
  expect(mappings.origin(2, 9)).toBeNull()
  expect(mappings.origin(3, 1)).toBeNull()
})
