import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from '@jest/globals'

const SOURCE_MAPS = pathToFileURL(resolve(import.meta.dirname, '../../../broker/host/source-maps.ts')).href
/** The first line is line 11 of the source. */
const MAP = { version: 3, sources: ['../sources/origin.ts'], names: [], mappings: 'AAUA' }

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'source-maps-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** The stack of an error that a function of `made.js` throws. */
function stack(): string {
  const made = join(directory, 'made.js')
  writeFileSync(made, 'export function fail() { throw new TypeError("out of order") }')
  const program = `
    import { mapStackTraces } from '${SOURCE_MAPS}'
    import { fail } from '${pathToFileURL(made).href}'
    mapStackTraces()
    try { fail() } catch (error) { console.log(error.stack) }`
  // A process of its own: what is changed holds for all of it.
  return execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', stdio: 'pipe' })
}

test('a stack trace tells of the sources where there is a map', () => {
  writeFileSync(join(directory, 'made.js.map'), JSON.stringify(MAP))
  const [first, second] = stack().split('\n')
  expect(first).toBe('TypeError: out of order')
  expect(second).toMatch(/^ {4}at fail \(file:\/\/.*\/sources\/origin\.ts:11:32\)$/)
})

test('without a map it tells of the file itself', () => {
  expect(stack().split('\n')[1]).toMatch(/^ {4}at fail \(file:\/\/.*\/made\.js:1:32\)$/)
})

test('a map that cannot be read is as good as none', () => {
  writeFileSync(join(directory, 'made.js.map'), '{')
  expect(stack()).toContain('made.js:1:32')
})
