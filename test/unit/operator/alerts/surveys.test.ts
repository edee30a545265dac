import { expect, test } from '@jest/globals'
import { SURVEY_CONDITIONS, Surveys } from '../../../../operator/alerts/surveys.ts'
import type { GroupState } from '../../../../operator/kafka/group-state.ts'
import type { LogDirState, Survey } from '../../../../operator/kafka/survey.ts'

const KEY = 'kafka/orders'
const MINUTE_MS = 60_000
const WELL: Survey = { logDirs: [directory(50)], activeControllers: [0], silent: [], groups: [] }

function directory(percentFree: number | null, broker = 1): LogDirState {
  const space = percentFree === null ? null : { totalBytes: 1000, usableBytes: percentFree * 10 }
  return { broker, path: '/data', isOnline: percentFree !== null, space }
}

function group(lag: number, committed: number, groupId = 'billing'): GroupState {
  const topics = [{ topic: 'payments', partitions: 1, lag, committed }]
  return { groupId, state: 'Stable', members: 1, coordinator: 1, topics }
}

/** Every two minutes one; what is said then, `type: status`. */
function surveyed(...told: readonly Survey[]): Map<string, string> {
  const surveys = new Surveys()
  for (const [index, survey] of told.entries()) surveys.take(KEY, survey, index * 2 * MINUTE_MS)
  return new Map(surveys.conditionsOf(KEY).map(({ type, status, message }) => [type, `${status} ${message}`]))
}

/** `survey` of each of some looks. */
function looks(count: number, survey: (index: number) => Partial<Survey>): Survey[] {
  return Array.from({ length: count }, (_, index) => ({ ...WELL, ...survey(index) }))
}

test('a cluster that is well for a while has every condition', () => {
  const found = surveyed(...looks(4, () => ({})))
  expect(new Set(found.keys())).toEqual(SURVEY_CONDITIONS)
  for (const words of found.values()) expect(words).toMatch(/^True/)
})

test('a log directory that has failed is named', () => {
  const logDirs = [directory(50), directory(null, 2)]
  expect(surveyed({ ...WELL, logDirs }).get('LogDirsOnline')).toBe(
    'False log directories that have failed: /data of broker 2',
  )
})

test('a disk is nearly full with less than a tenth free', () => {
  expect(surveyed({ ...WELL, logDirs: [directory(10)] }).get('DisksHaveRoom')).toMatch(/^True/)
  expect(surveyed({ ...WELL, logDirs: [directory(9)] }).get('DisksHaveRoom')).toBe(
    'False log directories that are nearly full: /data of broker 1 (less than 10 % free)',
  )
})

test('a disk fills when the pace of an hour leaves nothing of it in a day', () => {
  const falling = (perLook: number, count = 32) =>
    surveyed(...looks(count, (index) => ({ logDirs: [directory(39 - perLook * index)] }))).get('DisksNotFilling')
  // 30 looks an hour, 39 % in a day.
  expect(falling(0.1)).toMatch(/^False .*\/data of broker 1/)
  expect(falling(0.04)).toMatch(/^True/)
  expect(falling(0.1, 20)).toBeUndefined()
})

test('what a broker that is silent would tell is not taken for well', () => {
  const found = surveyed({ ...WELL, silent: [2] })
  expect(found.has('LogDirsOnline') || found.has('DisksHaveRoom')).toBe(false)
  const logDirs = [directory(null)]
  expect(surveyed({ ...WELL, logDirs, silent: [2] }).get('LogDirsOnline')).toMatch(/^False/)
})

test('two that say that they are the active controller are one too many', () => {
  expect(surveyed({ ...WELL, activeControllers: [0, 2] }).get('OneActiveController')).toBe(
    'False nodes that each say that they are the active controller: node 0, node 2',
  )
  expect(surveyed({ ...WELL, activeControllers: [] }).has('OneActiveController')).toBe(false)
})

test.each([
  ['is stuck while more comes in', 0, 100, 'False'],
  ['is slow, and further behind than it consumes in five minutes', 100, 200, 'False'],
  ['has less to do than five minutes', 1000, 100, 'True'],
  ['catches up', 100, -100, 'True'],
])('a group that %s', (_, consumed, grows, expected) => {
  const groups = (index: number) => ({ groups: [group(1000 + grows * index, consumed * index)] })
  expect(surveyed(...looks(5, groups)).get('ConsumersKeepUp')).toMatch(new RegExp(`^${expected}`))
})

test('a group of which little is known falls behind as little as one that is gone', () => {
  const before = looks(5, (index) => ({ groups: [group(1000 + 100 * index, 0)] }))
  const after = { ...WELL, groups: [group(10, 0, 'new')] }
  expect(surveyed(...before, after).get('ConsumersKeepUp')).toBe('True no consumer group falls behind')
  expect(surveyed(...looks(2, () => ({}))).has('ConsumersKeepUp')).toBe(false)
  expect(surveyed(...before, { ...WELL, groups: null }).has('ConsumersKeepUp')).toBe(false)
})

test('only what says something else is news', () => {
  const surveys = new Surveys()
  expect(surveys.take(KEY, WELL, 0)).toBe(true)
  expect(surveys.take(KEY, WELL, MINUTE_MS)).toBe(false)
  expect(surveys.take(KEY, { ...WELL, logDirs: [directory(9)] }, MINUTE_MS)).toBe(true)
  surveys.forget(KEY)
  expect(surveys.conditionsOf(KEY)).toEqual([])
})
