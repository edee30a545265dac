import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { configurationPage } from '../../tools/configuration-page.ts'

test('docs/configuration.md is up to date', () => {
  const path = join(import.meta.dirname, '..', '..', '..', 'docs', 'configuration.md')
  expect(readFileSync(path, 'utf8')).toBe(configurationPage())
})
