import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import { BROKER_ENVIRONMENT } from '../../../../operator/local/broker-process.ts'

const read = (path: string): string => readFileSync(resolve(import.meta.dirname, '../../../..', path), 'utf8')

test('a broker has as many threads in the image, from npm start and from npm run broker', () => {
  const { UV_THREADPOOL_SIZE: threads } = BROKER_ENVIRONMENT
  expect(/^ENV UV_THREADPOOL_SIZE=(.*)$/m.exec(read('Dockerfile'))?.[1]).toBe(threads)
  expect(read('package.json')).toContain(
    `UV_THREADPOOL_SIZE=\${UV_THREADPOOL_SIZE:-${threads}} exec node broker/main.ts`,
  )
})
