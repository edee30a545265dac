import type { Env } from '../../broker/env/env.ts'
import { NodeCompute } from '../../broker/host/compute.ts'
import { MachineTime, ScopedClock, SimClock } from './clock.ts'
import { SimCompute } from './compute.ts'
import { SimDisk } from './disk.ts'
import type { SimDiskOptions } from './disk.ts'
import { FakeHttp } from './http.ts'
import { SimNetwork } from './network.ts'
import type { SimHost, SimNetworkOptions } from './network.ts'
import { processDisk } from './process-disk.ts'
import { SimRandom } from './random.ts'

export interface SimWorldOptions {
  readonly seed: number
  readonly network?: SimNetworkOptions
  readonly disk?: SimDiskOptions
}

/** Everything outside the processes of a simulation: one time, one network, and machines. All of it from one seed. */
export class SimWorld {
  readonly clock = new SimClock()
  readonly random: SimRandom
  readonly network: SimNetwork
  readonly #options: SimWorldOptions
  readonly #real = new NodeCompute()

  constructor(options: SimWorldOptions) {
    this.#options = options
    this.random = new SimRandom(options.seed)
    this.network = new SimNetwork(options.network ?? {}, { clock: this.clock, random: this.random.fork() })
  }

  /** A machine with an empty disk. Its name is its address. */
  machine(name: string): SimMachine {
    const disk = new SimDisk(this.#options.disk, { random: this.random.fork(), clock: this.clock })
    return new SimMachine(name, { world: this, disk, compute: this.#real })
  }
}

/** A machine: its disk outlives the processes that run on it, one at a time. */
export class SimMachine {
  readonly name: string
  readonly disk: SimDisk
  /** What its clocks show. */
  readonly time: MachineTime
  readonly #world: SimWorld
  readonly #compute: NodeCompute
  #process: { env: Env; clock: ScopedClock; network: SimHost; http: FakeHttp } | undefined

  constructor(name: string, deps: { world: SimWorld; disk: SimDisk; compute: NodeCompute }) {
    this.name = name
    this.disk = deps.disk
    this.time = new MachineTime(deps.world.clock)
    this.#world = deps.world
    this.#compute = deps.compute
  }

  /** The ports of a new process; one that is still there is killed. */
  start(): Env {
    this.kill()
    const random = this.#world.random.fork()
    const clock = new ScopedClock(this.time)
    this.#world.network.powerOn(this.name)
    const network = this.#world.network.host(this.name, clock)
    const compute = new SimCompute({ real: this.#compute, clock, random: random.fork() })
    const http = new FakeHttp()
    const env = { clock, random, disk: processDisk(this.disk), network, compute, http }
    this.#process = { env, clock, network, http }
    this.disk.enter = (callback) => clock.enter(callback)
    return env
  }

  get isRunning(): boolean {
    return this.#process !== undefined
  }
  /** What keeps a process that has nothing left to do. */
  get openConnections(): number {
    return this.#process === undefined ? 0 : this.#world.network.connectionsOf(this.#process.network).length
  }
  /** The running process's clock. */
  get clock(): ScopedClock | undefined {
    return this.#process?.clock
  }

  /** kill -9: timers, promises, sockets and locks are gone, the page cache stays. */
  kill(): void {
    this.#process?.clock.kill()
    this.#process?.network.kill()
    this.#process = undefined
    this.disk.killProcess()
  }

  /** Power loss: as kill, but nobody is told; and what was not synced may be gone, whole or in parts. */
  losePower(): void {
    this.#world.network.powerOff(this.name)
    this.kill()
    this.disk.losePower()
  }

  /** SIGSTOP and SIGCONT: the process stands still, its machine and so its sockets do not. */
  stopProcess(): void {
    this.#process?.clock.stop()
  }
  continueProcess(): void {
    this.#process?.clock.continue()
    this.#process?.network.resumed()
  }

  /** The running process's HTTP server. */
  get http(): FakeHttp | undefined {
    return this.#process?.http
  }
}
