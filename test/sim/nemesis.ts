import { dirname, join } from 'node:path'
import { METADATA_TOPIC } from '../../broker/raft/metadata-log.ts'
import { CLEAN_SHUTDOWN_FILE } from '../../broker/storage/names.ts'
import { needsDescriptor } from '../fakes/descriptors.ts'
import { SECTOR_BYTES } from '../fakes/disk-node.ts'
import type { SimMachine, SimWorld } from '../fakes/env.ts'
import type { SimRandom } from '../fakes/random.ts'
import type { Trace } from './simulation.ts'

/** A node that things are done to. */
export interface Victim {
  readonly name: string
  readonly machine: SimMachine
  /** Starts a process on the machine; there is none. */
  start(): void
  /** Begins an orderly shutdown; the process ends when it is done. */
  stop(): void
}

export type FaultName = keyof typeof FAULTS

interface Context {
  readonly world: SimWorld
  readonly random: SimRandom
  readonly victim: Victim
  /** The others, in an order of the seed's. */
  readonly others: readonly string[]
  readonly victims: readonly Victim[]
  /** Machines that things are done to only so far as the victim cannot reach them. */
  readonly bystanders: readonly string[]
  /** Notes that a replica of this partition is damaged; false where one was before: that is not to happen to two. */
  readonly mayRot: (partition: string) => boolean
}

/** Does something, and gives what ends it. */
type Fault = (context: Context) => () => void

const nothing = (): void => {}

/** The others, cut in two. */
function halves({ others, random }: Context): [string[], string[]] {
  const size = random.below(others.length + 1)
  return [others.slice(0, size), others.slice(size)]
}

function cutBetween({ world }: Context, left: readonly string[], right: readonly string[]): () => void {
  const pairs = left.flatMap((a) => right.map((b) => [a, b] as const))
  for (const [a, b] of pairs) world.network.partition(a, b)
  return () => {
    for (const [a, b] of pairs) world.network.heal(a, b)
  }
}

const FAULTS = {
  /** kill -9. */
  kill: ({ victim }) => {
    victim.machine.kill()
    return nothing
  },
  /** Power loss. */
  power: ({ victim }) => {
    victim.machine.losePower()
    return nothing
  },
  /** Power is lost everywhere; the others come back before the victim. */
  blackout: ({ victims }) => {
    for (const { machine } of victims) machine.losePower()
    return nothing
  },
  /** An orderly restart. */
  restart: ({ victim }) => {
    victim.stop()
    return nothing
  },
  /** SIGSTOP, SIGCONT. */
  pause: ({ victim }) => {
    victim.machine.stopProcess()
    return () => victim.machine.continueProcess()
  },
  isolate: (context) => cutBetween(context, [context.victim.name], context.others),
  split: (context) => {
    const [left, right] = halves(context)
    return cutBetween(context, [context.victim.name, ...left], right)
  },
  /** Two halves that only the victim reaches both. */
  bridge: (context) => cutBetween(context, ...halves(context)),
  /** Nobody hears the victim, which hears all; or the other way round. */
  oneWay: ({ world, victim, others, random }) => {
    const isMute = random.chance(0.5)
    const deaf = others.slice(0, random.between(1, others.length))
    for (const other of deaf) {
      if (isMute) world.network.cut(victim.name, other)
      else world.network.cut(other, victim.name)
    }
    return () => {
      for (const other of deaf) world.network.heal(victim.name, other)
    }
  },
  slow: ({ world, victim, others, random }) => {
    for (const other of others) {
      world.network.slow(victim.name, other, random.between(1, 400))
      world.network.slow(other, victim.name, random.between(1, 400))
    }
    return () => {
      for (const other of others) {
        world.network.slow(victim.name, other, 0)
        world.network.slow(other, victim.name, 0)
      }
    }
  },
  /** The wall clock jumps, back or ahead, and stays there. */
  wall: ({ victim, random }) => {
    const mostMs = random.pick([50, 5000, 3_600_000, 90_000_000])
    victim.machine.time.shiftWall(random.between(-mostMs, mostMs))
    return nothing
  },
  /** The machine's time runs fast or slow. */
  drift: ({ victim, random }) => {
    victim.machine.time.rate = 0.9 + random.fraction() * 0.2
    return () => {
      victim.machine.time.rate = 1
    }
  },
  slowDisk: ({ victim, random }) => {
    const { disk } = victim.machine
    const before = disk.syncMsMax
    disk.syncMsMax = random.between(20, 400)
    return () => {
      disk.syncMsMax = before
    }
  },
  /**
   * fsync fails, after a while. What it was about is in the page cache and nowhere else, whatever later syncs say: the machine is
   * switched off before it serves again.
   */
  syncError: ({ victim, random }) => {
    const { disk } = victim.machine
    let left = random.between(0, 20)
    disk.fault = (operation) => (operation === 'sync' && left-- <= 0 ? 'EIO' : undefined)
    return () => {
      disk.fault = undefined
      if (left < 0) victim.machine.losePower()
    }
  },
  /** The disk takes some more bytes, then none. A log dir that has failed by it is offline until the process is another one. */
  full: ({ victim, random }) => {
    const { disk } = victim.machine
    const before = disk.capacityBytes
    disk.capacityBytes = disk.usedBytes() + random.between(0, 20_000)
    return () => {
      disk.capacityBytes = before
      victim.machine.kill()
    }
  },
  /** Too many files are open, of the process or of the machine: some of what opens one more fails, or all. */
  descriptors: ({ victim, random }) => {
    const { disk } = victim.machine
    const own = random.fork()
    const share = random.pick([0.5, 1])
    disk.fault = (operation, path) => (needsDescriptor(operation, path) && own.chance(share) ? 'EMFILE' : undefined)
    return () => {
      disk.fault = undefined
    }
  },
  /** Some of the clients do not reach the victim. */
  unreachable: (context) => {
    const { bystanders, random, victim } = context
    const some = bystanders.filter(() => random.chance(0.5))
    return cutBetween(context, [victim.name], some)
  },
  /** An orderly restart, and meanwhile a sector of a replica goes bad. */
  rot: ({ victim, random, mayRot }) => {
    victim.stop()
    return () => {
      victim.machine.kill()
      const { disk } = victim.machine
      const segments = disk.files('/').filter(({ path, size }) => size > 0 && partitionOf(path) !== undefined)
      if (segments.length === 0) return
      const { path, size } = random.pick(segments)
      const sectors = Math.ceil(size / SECTOR_BYTES)
      // A log that has lost its end looks like one that never had it.
      const sector = random.chance(0.5) ? sectors - 1 : random.below(sectors)
      if (!mayRot(partitionOf(path) ?? '')) return
      // What was the active segment is read when it is opened, and more behind a crash; a log dir that fails then is offline until somebody acts.
      const isActive = segments.every((other) => partitionOf(other.path) !== partitionOf(path) || other.path <= path)
      const isClosed = disk.exists(join(dirname(dirname(path)), CLEAN_SHUTDOWN_FILE))
      if (isClosed && !isActive && random.chance(0.5)) disk.spoilSector(path, sector)
      else disk.corruptSector(path, sector)
    }
  },
} satisfies Record<string, Fault>

/** The partition that a segment is of; undefined for other files, for the metadata log, and for logs that are not in use any more. */
function partitionOf(path: string): string | undefined {
  const found = /\/([^/]+-\d+)\/\d{20}\.log$/.exec(path)?.[1]
  return found?.startsWith(METADATA_TOPIC) === true ? undefined : found
}

/** What a process works on under, worse than before: it comes along with anything else that is done to the same node. */
const IS_BURDEN: ReadonlySet<FaultName> = new Set(['slow', 'wall', 'drift', 'slowDisk', 'unreachable'])

export interface NemesisOptions {
  /** Which faults come, each as often as it is in the list. */
  readonly faults: readonly FaultName[]
  /** How many are at work at a time. */
  readonly most: number
}

export interface NemesisDeps {
  readonly world: SimWorld
  readonly random: SimRandom
  readonly trace: Trace
  readonly victims: readonly Victim[]
  /** Whether the fault may begin now; all may where it is missing. */
  readonly mayBegin?: (fault: FaultName, victim: Victim) => boolean
  /** The names of the clients' machines. */
  readonly bystanders?: () => readonly string[]
}

interface Active {
  readonly name: FaultName
  readonly victim: Victim
  /** It does not end before. */
  readonly untilMs: number
  readonly end: () => void
}

/** Does harm to nodes, and takes it back, as its seed says. Processes that are down and not held down are started again. */
export class Nemesis {
  readonly #options: NemesisOptions
  readonly #deps: NemesisDeps
  #active: Active[] = []
  /** The partitions of which a replica was damaged, and where. */
  readonly rotten = new Map<string, string>()

  constructor(options: NemesisOptions, deps: NemesisDeps) {
    this.#options = options
    this.#deps = deps
  }

  get activeCount(): number {
    return this.#active.length
  }

  /** Begins a fault, or ends the oldest. */
  step(): void {
    const { random, world } = this.#deps
    const isFull = this.#active.length >= this.#options.most
    if (isFull || (this.#active.length > 0 && random.chance(0.5))) this.#endOldest(world.clock.monotonicMs())
    else this.#beginOther(random.pick(this.#options.faults), random.pick(this.#deps.victims))
    this.#revive()
  }

  /** Begins a fault at a moment that somebody else has chosen, where it may; one more than others may be at work. It lasts `leastMs`, or longer. */
  strike(name: FaultName, victim: Victim, leastMs = 0): void {
    const harmful = this.#active.filter((active) => !IS_BURDEN.has(active.name))
    if (harmful.length <= this.#options.most) this.#begin(name, victim, leastMs)
  }

  /** Ends all that is at work, and starts every node. */
  end(): void {
    while (this.#active.length > 0) this.#endOldest(Infinity)
    this.#deps.world.network.healAll()
    this.#revive()
  }

  #beginOther(name: FaultName, victim: Victim): void {
    if (!this.#active.some((active) => active.name === name)) this.#begin(name, victim)
  }

  #begin(name: FaultName, victim: Victim, leastMs = 0): void {
    const { world, random, trace, victims, mayBegin } = this.#deps
    const isTaken = !IS_BURDEN.has(name) && this.#holds(victim)
    if (isTaken || !victim.machine.isRunning || mayBegin?.(name, victim) === false) return
    const others = shuffled(
      victims.filter((other) => other !== victim).map((other) => other.name),
      random,
    )
    if (others.length === 0 && NEEDS_OTHERS.has(name)) return
    trace.note(`-- ${name}`, victim.name)
    const mayRot = (partition: string): boolean => this.#mayRot(partition, victim.name)
    const bystanders = this.#deps.bystanders?.() ?? []
    const end = FAULTS[name]({ world, random, victim, victims, others, bystanders, mayRot })
    this.#active.push({ name, victim, end, untilMs: world.clock.monotonicMs() + leastMs })
  }

  #mayRot(partition: string, where: string): boolean {
    if (this.rotten.has(partition)) return false
    this.rotten.set(partition, where)
    this.#deps.trace.note(`-- a replica of ${partition} goes bad`, where)
    return true
  }

  /** Of those that may end by `nowMs`. */
  #endOldest(nowMs: number): void {
    const oldest = this.#active.find(({ untilMs }) => untilMs <= nowMs)
    if (oldest === undefined) return
    this.#active = this.#active.filter((active) => active !== oldest)
    this.#deps.trace.note(`-- end of ${oldest.name}`, oldest.victim.name)
    oldest.end()
  }

  #revive(): void {
    for (const victim of this.#deps.victims) {
      if (!this.#holds(victim) && !victim.machine.isRunning) victim.start()
    }
  }

  #holds(victim: Victim): boolean {
    return this.#active.some((active) => active.victim === victim && !IS_BURDEN.has(active.name))
  }
}

const NEEDS_OTHERS: ReadonlySet<string> = new Set(['isolate', 'split', 'bridge', 'oneWay', 'slow'])

function shuffled<T>(items: readonly T[], random: SimRandom): T[] {
  return items
    .map((item) => ({ item, key: random.uint32() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item)
}
