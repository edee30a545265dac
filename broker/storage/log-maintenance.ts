import type { Clock, Timer } from '../env/clock.ts'
import type { LogDirectory } from './log-directory.ts'
import type { PartitionLog } from './log.ts'

/** Longest delay that a timer takes. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** How often, in ms; Infinity for never. */
export interface MaintenanceIntervals {
  /** log.flush.offset.checkpoint.interval.ms */
  readonly recoveryPointCheckpointMs: number
  /** log.flush.start.offset.checkpoint.interval.ms */
  readonly logStartOffsetCheckpointMs: number
  /** replica.high.watermark.checkpoint.interval.ms */
  readonly highWatermarkCheckpointMs: number
  /** log.retention.check.interval.ms */
  readonly retentionCheckMs: number
  /** log.flush.scheduler.interval.ms */
  readonly flushSchedulerMs: number
  /** producer.id.expiration.check.interval.ms */
  readonly producerIdExpirationCheckMs: number
}

/** Apache Kafka's defaults. */
export const DEFAULT_INTERVALS: MaintenanceIntervals = {
  recoveryPointCheckpointMs: 60_000,
  logStartOffsetCheckpointMs: 60_000,
  highWatermarkCheckpointMs: 5000,
  retentionCheckMs: 300_000,
  flushSchedulerMs: Infinity,
  producerIdExpirationCheckMs: 600_000,
}

export interface MaintenanceDeps {
  readonly clock: Clock
  /** Those online. */
  directories(): readonly LogDirectory[]
  logsIn(directory: LogDirectory): readonly PartitionLog[]
  /** Called where work on a directory threw. */
  onError(directory: LogDirectory, error: unknown): void
}

/** What is done to all logs from time to time: checkpoints, retention, flushes, expiry of producers. */
export class LogMaintenance {
  readonly #deps: MaintenanceDeps
  readonly #timers = new Map<string, Timer>()
  #stopped = false

  constructor(deps: MaintenanceDeps) {
    this.#deps = deps
  }

  start(intervals: MaintenanceIntervals): void {
    this.#every('recovery points', intervals.recoveryPointCheckpointMs, () => this.checkpointRecoveryPoints())
    this.#every('log start offsets', intervals.logStartOffsetCheckpointMs, () => this.checkpointLogStartOffsets())
    this.#every('high watermarks', intervals.highWatermarkCheckpointMs, () => this.checkpointHighWatermarks())
    this.#every('retention', intervals.retentionCheckMs, () =>
      this.#onLogs((log, now) => void log.deleteOldSegments(now)),
    )
    this.#every('flush', intervals.flushSchedulerMs, () => this.flushOverdue())
    this.#every('producers', intervals.producerIdExpirationCheckMs, () =>
      this.#onLogs((log, now) => log.producers.removeExpired(now)),
    )
  }

  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers.values()) timer.cancel()
  }

  /** The next run begins an interval after the last one has ended. */
  #every(name: string, intervalMs: number, work: () => Promise<void>): void {
    if (this.#stopped || intervalMs === Infinity) return
    const run = async (): Promise<void> => {
      await work()
      this.#every(name, intervalMs, work)
    }
    this.#timers.set(
      name,
      this.#deps.clock.setTimer(Math.min(intervalMs, TIMER_MS_MAX), () => void run()),
    )
  }

  checkpointRecoveryPoints(): Promise<void> {
    return this.#onDirectories((directory, logs) => directory.writeRecoveryPoints(logs))
  }

  checkpointLogStartOffsets(): Promise<void> {
    return this.#onDirectories((directory, logs) => directory.writeLogStartOffsets(logs))
  }

  checkpointHighWatermarks(): Promise<void> {
    return this.#onDirectories((directory, logs) => directory.writeHighWatermarks(logs))
  }

  /** Syncs the logs that have waited for `flush.ms`, one after the other. */
  flushOverdue(): Promise<void> {
    return this.#onDirectories(async (_, logs) => {
      for (const log of logs) {
        const overdueMs = this.#deps.clock.monotonicMs() - log.lastFlushMs
        if (overdueMs >= log.config.flushMs && log.syncedOffset < log.logEndOffset) await log.flush()
      }
    })
  }

  #onLogs(work: (log: PartitionLog, nowMs: number) => void): Promise<void> {
    return this.#onDirectories((_, logs) => {
      const nowMs = this.#deps.clock.wallMs()
      for (const log of logs) work(log, nowMs)
      return Promise.resolve()
    })
  }

  async #onDirectories(work: (directory: LogDirectory, logs: readonly PartitionLog[]) => Promise<void>): Promise<void> {
    for (const directory of this.#deps.directories()) {
      try {
        await work(directory, this.#deps.logsIn(directory))
      } catch (error) {
        this.#deps.onError(directory, error)
      }
    }
  }
}
