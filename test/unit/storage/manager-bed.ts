import type { File } from '../../../broker/env/disk.ts'
import type { LogManagerOptions } from '../../../broker/storage/log-manager-types.ts'
import { LogManager } from '../../../broker/storage/log-manager.ts'
import { DEFAULT_INTERVALS } from '../../../broker/storage/log-maintenance.ts'
import type { Logger } from '../../../broker/telemetry/logger.ts'
import { SimClock } from '../../fakes/clock.ts'
import { SimDisk, type SimDiskOptions } from '../../fakes/disk.ts'
import { silentLogger } from '../../fakes/logger.ts'
import { SimRandom } from '../../fakes/random.ts'
import { NO_COMPUTE, TEST_CONFIG } from './fixture.ts'

export const TOPIC_ID = 'cAh3nFQcTQ2nM9yNrl0Ghg'
export const OTHER_TOPIC_ID = 'dBh3nFQcTQ2nM9yNrl0Ghg'
export const CLUSTER_ID = 'ZS9vYtuvSzOA9tJhBqmSFA'

/** All logs of a broker on a simulated disk. */
export class ManagerBed {
  readonly clock = new SimClock()
  readonly random = new SimRandom(5)
  readonly disk: SimDisk
  readonly problems: string[] = []

  constructor(options: SimDiskOptions = {}) {
    this.disk = new SimDisk(options, { random: new SimRandom(6), clock: this.clock })
  }

  open(options: Partial<LogManagerOptions> = {}): Promise<LogManager> {
    return LogManager.open(
      {
        logDirs: ['/data'],
        clusterId: CLUSTER_ID,
        nodeId: 1,
        defaults: TEST_CONFIG,
        recoveryThreadsPerDataDir: 2,
        producerIdExpirationMs: () => 86_400_000,
        tailCacheBytes: 1 << 20,
        intervals: DEFAULT_INTERVALS,
        ...options,
      },
      { disk: this.disk, clock: this.clock, random: this.random, compute: NO_COMPUTE, logger: this.#logger() },
    )
  }

  #logger(): Logger {
    return { ...silentLogger(), error: (_, message) => void this.problems.push(message) }
  }

  /** Takes all file descriptors that are left, as connections do; gives them back. */
  exhaust(): () => void {
    const taken: File[] = []
    while (this.disk.openFiles < this.disk.openFilesMax) taken.push(this.disk.open('/socket', 'openOrCreate'))
    return () => {
      for (const file of taken) file.close()
    }
  }

  text(path: string): string {
    return new TextDecoder().decode(this.disk.readFile(path))
  }

  names(path: string): string[] {
    return this.disk
      .list(path)
      .map(({ name }) => name)
      .sort()
  }
}
