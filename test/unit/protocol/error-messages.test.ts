import { expect, test } from '@jest/globals'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { APIS } from '../../../broker/protocol/apis.ts'
import { encodeResponse } from '../../../broker/protocol/frame.ts'
import type { Field, Fields } from '../../../broker/schema/fields.ts'

interface Named {
  readonly name: string
  readonly field: Field
}

function strings(fields: Fields): Named[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const inner = field.element ?? field
    return inner.kind === 'string' ? [{ name, field: inner }] : strings(inner.fields ?? {})
  })
}

test('no error message of any response is too long to be told', () => {
  const messages = Object.values(APIS).flatMap((api) => {
    const found = strings(api.response.fields).filter(({ name }) => name.toLowerCase().endsWith('errormessage'))
    return found.map(({ name, field }) => ({ at: `${api.name} ${name}`, isCut: field.options.cut === true }))
  })
  expect(messages.length).toBeGreaterThan(40)
  expect(messages.filter(({ isCut }) => !isCut)).toEqual([])
})

test('a response with a long error message is answered', () => {
  const api = APIS[ApiKey.CreateTopics]
  const topics = [{ name: 'orders', errorCode: 40, errorMessage: 'x'.repeat(100_000) }]
  const bytes = Buffer.concat(encodeResponse(api, api.versions.max, 1, { throttleTimeMs: 0, topics }))
  expect(bytes.length).toBeLessThan(33_000)
})
