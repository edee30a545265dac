import type {
  CommittedBatch,
  LeaderAndEpoch,
  RaftListener,
  RaftOptions,
  RaftTransport,
} from '../../../broker/raft/raft-types.ts'
import { RaftNode } from '../../../broker/raft/raft-node.ts'
import type { Snapshot } from '../../../broker/raft/snapshot-file.ts'
import { staticVoters } from '../../../broker/raft/voters.ts'
import type { Env } from '../../../broker/env/env.ts'
import type { Logger } from '../../../broker/telemetry/logger.ts'
import { SimWorld, type SimMachine } from '../../fakes/env.ts'
import { silentLogger } from '../../fakes/logger.ts'

export const DIRECTORY_ID = 'uEYGF8nYSKGSUEijCUSI2g'
export const LOG_DIR = '/data'
export const METADATA_DIR = '/data/__cluster_metadata-0'

/** As server.properties has them where nothing is said. */
export const RAFT_DEFAULTS = {
  clusterId: 'LjTvVGwiQwmzsAvhAKyhvA',
  bootstrapServers: [],
  isController: true,
  controllerListenerName: 'CONTROLLER',
  fetchTimeoutMs: 2000,
  electionTimeoutMs: 1000,
  electionBackoffMaxMs: 1000,
  requestTimeoutMs: 2000,
  retryBackoffMs: 20,
  fetchMaxBytes: 1024 * 1024,
  fetchSnapshotMaxBytes: 1024 * 1024,
  autoJoin: false,
}

/** For a quorum of one: there is nobody to ask. */
const NOBODY_THERE: RaftTransport = { request: () => Promise.reject(new Error('nobody is there')) }

const text = new TextDecoder()

/** Writes down what it hears. */
export class Recorder implements RaftListener {
  readonly heard: string[] = []
  onSnapshot(snapshot: Snapshot): void {
    this.heard.push(
      `snapshot ${snapshot.id.endOffset}: ${snapshot.records.map((value) => text.decode(value)).join(',')}`,
    )
  }
  onCommit(batches: readonly CommittedBatch[]): void {
    for (const { baseOffset, records } of batches) {
      const joined = records.map((value) => text.decode(value)).join(',')
      this.heard.push(`${baseOffset}: ${joined === '' ? 'control' : joined}`)
    }
  }
  onLeaderChange({ leaderId, epoch }: LeaderAndEpoch): void {
    this.heard.push(`leader ${leaderId} in epoch ${epoch}`)
  }
}

/** One node with a disk that outlives it. */
export class RaftBench {
  readonly world: SimWorld
  readonly machine: SimMachine
  readonly options: RaftOptions
  env: Env

  constructor(seed: number, options: Partial<RaftOptions> = {}) {
    this.world = new SimWorld({ seed })
    this.machine = this.world.machine('one')
    this.env = this.machine.start()
    this.env.disk.makeDirectory(LOG_DIR)
    this.env.disk.syncDirectory('/')
    this.options = {
      nodeId: 1,
      directoryId: DIRECTORY_ID,
      logDir: LOG_DIR,
      staticVoters: staticVoters([{ id: 1, host: 'localhost', port: 9093 }], 'CONTROLLER'),
      endpoints: [{ name: 'CONTROLLER', host: 'localhost', port: 9093 }],
      segmentBytes: 1024 * 1024,
      segmentMs: 604_800_000,
      retention: { maxBytes: 100 * 1024 * 1024, maxAgeMs: 604_800_000 },
      ...RAFT_DEFAULTS,
      ...options,
    }
  }

  async open(
    transport: RaftTransport = NOBODY_THERE,
    logger: Logger = silentLogger(),
  ): Promise<{ node: RaftNode; recorder: Recorder }> {
    const recorder = new Recorder()
    const node = await RaftNode.open(this.options, {
      ...this.env,
      logger,
      transport,
    })
    node.register(recorder)
    node.start()
    await this.world.clock.run(10)
    return { node, recorder }
  }

  /** A new process after kill -9, or after a loss of power. */
  async reopen(how: 'killed' | 'power lost') {
    if (how === 'killed') this.machine.kill()
    else this.machine.losePower()
    this.env = this.machine.start()
    return this.open()
  }

  run(ms = 10): Promise<void> {
    return this.world.clock.run(ms)
  }
}

export function values(...names: readonly string[]): Uint8Array[] {
  return names.map((name) => new TextEncoder().encode(name))
}
