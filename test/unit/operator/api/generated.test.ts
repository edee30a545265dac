import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import { crdTypes, KINDS } from '../../../tools/crd-types.ts'

const API = resolve(import.meta.dirname, '../../../../operator/api')

test.each(KINDS)('the types of %s are those of its CRD', async (kind) => {
  expect(readFileSync(join(API, `${kind}.ts`), 'utf8')).toBe(await crdTypes(kind))
})
