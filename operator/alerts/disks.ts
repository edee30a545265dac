import type { ExtraCondition } from '../api/conditions.ts'
import type { LogDirState, Survey } from '../kafka/survey.ts'
import { FILLING_FREE, FULL_FREE } from './rules.ts'
import { Trend } from './trend.ts'
import { verdict } from './verdict.ts'
import type { Words } from './verdict.ts'

const ONLINE: Words = {
  reason: 'LogDirOffline',
  bad: 'log directories that have failed',
  well: 'all log directories work',
}
const ROOM: Words = {
  reason: 'NearlyFull',
  bad: 'log directories that are nearly full',
  well: 'no log directory is nearly full',
}
const FILLING: Words = {
  reason: 'FullWithinADay',
  bad: 'log directories that are full within a day at their pace of the last hours',
  well: 'no log directory is full within a day at its pace of the last hours',
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const TREND = { windowMs: 6 * HOUR_MS, gapMs: 10 * 60_000 }

/** How the log directories of a cluster are, and where their file systems are heading: as the Prometheus rules KafkaDiskFull and KafkaDiskFilling. */
export class Disks {
  /** What is free, by directory. */
  #trends = new Map<string, Trend>()

  /** A condition that cannot be told yet is left out. `nowMs`: monotonic. */
  take({ logDirs, silent }: Survey, nowMs: number): ExtraCondition[] {
    this.#remember(logDirs, nowMs)
    const isWhole = silent.length === 0
    const offline = logDirs.filter(({ isOnline }) => !isOnline).map(nameOf)
    const full = logDirs.filter((directory) => freeOf(directory) < FULL_FREE).map(withFree)
    const isKnown = isWhole && logDirs.some(({ space }) => space !== null)
    const filling = logDirs.filter((directory) => this.#isFilling(directory, nowMs) === true).map(withFree)
    const isPaceKnown = isKnown && logDirs.every((directory) => this.#isFilling(directory, nowMs) !== null)
    return [
      ...verdict('LogDirsOnline', isWhole, offline, ONLINE),
      ...verdict('DisksHaveRoom', isKnown, full, ROOM),
      ...verdict('DisksNotFilling', isPaceKnown, filling, FILLING),
    ]
  }

  #remember(logDirs: readonly LogDirState[], nowMs: number): void {
    const before = this.#trends
    this.#trends = new Map()
    for (const directory of logDirs) {
      if (directory.space === null) continue
      const trend = before.get(nameOf(directory)) ?? new Trend(TREND)
      trend.add(nowMs, directory.space.usableBytes)
      this.#trends.set(nameOf(directory), trend)
    }
  }

  /** Null: not known yet. A few minutes say nothing of a day. */
  #isFilling(directory: LogDirState, nowMs: number): boolean | null {
    if (freeOf(directory) >= FILLING_FREE) return false
    const trend = this.#trends.get(nameOf(directory))
    if (trend === undefined || trend.spanMs < HOUR_MS) return null
    return trend.at(nowMs + DAY_MS) < 0
  }
}

/** 1 where it is not known. */
function freeOf({ space }: LogDirState): number {
  return space === null ? 1 : space.usableBytes / space.totalBytes
}

function nameOf({ broker, path }: LogDirState): string {
  return `${path} of broker ${broker}`
}

/** In tens: each other figure would be another status. */
function withFree(directory: LogDirState): string {
  return `${nameOf(directory)} (less than ${Math.floor(freeOf(directory) * 10) * 10 + 10} % free)`
}
