import { expect, test } from '@jest/globals'
import { LogThreshold } from '../../../broker/telemetry/log-threshold.ts'
import { createLogger, type Logger } from '../../../broker/telemetry/logger.ts'
import { SimClock } from '../../fakes/clock.ts'

function bed(): { logger: Logger; threshold: LogThreshold; written: string[]; events: () => unknown[] } {
  const written: string[] = []
  const threshold = new LogThreshold('info')
  const deps = { clock: new SimClock(1000), destination: { write: (line: string) => written.push(line) } }
  return {
    logger: createLogger({ threshold }, deps),
    threshold,
    written,
    events: () => written.map((line) => JSON.parse(line) as unknown),
  }
}

test('an event is a line with a JSON object of level, time, bindings, fields and message, in this order', () => {
  const { logger, written } = bed()
  logger.child({ component: 'log' }).child({ part: 1 }).warn({ topic: 't', gone: undefined }, 'rolled')
  expect(written).toEqual(['{"level":"warn","time":1000,"component":"log","part":1,"topic":"t","msg":"rolled"}\n'])
})

test('the level may change, for loggers that there are too', () => {
  const { logger, threshold, written } = bed()
  const child = logger.child({ component: 'log' })
  const counts = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].map((level) => {
    threshold.set(level)
    const before = written.length
    for (const name of ['debug', 'info', 'warn', 'error'] as const) child[name]({}, 'told')
    return written.length - before
  })
  expect(counts).toEqual([4, 4, 3, 2, 1, 1])
})

test('events below the level are not written', () => {
  const { logger, events } = bed()
  logger.debug({}, 'a')
  logger.info({}, 'b')
  logger.error({}, 'c')
  expect(events()).toMatchObject([
    { level: 'info', msg: 'b' },
    { level: 'error', msg: 'c' },
  ])
})

test('an error that is tried again is told without a stack: it is no fault of ours, and stacks are dear', () => {
  const isRead: string[] = []
  const watched = <E extends Error>(name: string, error: E): E =>
    Object.defineProperty(error, 'stack', { get: () => isRead.push(name) })
  class Lost extends Error {
    readonly isRetriable = true
  }
  const { logger, events } = bed()
  const cause = watched('cause', new Error('reset'))
  logger.warn({ err: watched('error', new Lost('gone', { cause })) }, 'trying again')
  expect(events()).toMatchObject([{ err: { type: 'Lost', message: 'gone', cause: 'reset' } }])
  expect(isRead).toEqual([])
})

test('an error is told with its type, its own fields, its stack and its cause', () => {
  class Refused extends Error {
    readonly code = 'REFUSED'
  }
  const { logger, events } = bed()
  logger.error({ err: new Refused('no', { cause: new TypeError('why') }) }, 'failed')
  expect(events()).toMatchObject([
    {
      err: {
        type: 'Refused',
        message: 'no',
        code: 'REFUSED',
        stack: expect.stringContaining('logger.test'),
        cause: { type: 'TypeError', message: 'why' },
      },
    },
  ])
})

test('values that JSON has no words for do not keep an event from being written', () => {
  const circle: { self?: unknown } = {}
  circle.self = circle
  const { logger, events } = bed()
  logger.info({ offset: 2n ** 60n, circle, lines: 'a\nb' }, 'odd')
  expect(events()).toMatchObject([
    { offset: '1152921504606846976', circle: '[object Object]', lines: 'a\nb', msg: 'odd' },
  ])
})
