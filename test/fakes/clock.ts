import type { Clock, Timer } from '../../broker/env/clock.ts'

class Entry implements Timer {
  readonly atMs: number
  readonly sequence: number
  callback: (() => void) | undefined

  constructor(atMs: number, sequence: number, callback: () => void) {
    this.atMs = atMs
    this.sequence = sequence
    this.callback = callback
  }

  cancel(): void {
    this.callback = undefined
  }

  /** It is due. */
  fire(): void {
    this.call()
  }

  call(): void {
    const { callback } = this
    this.callback = undefined
    callback?.()
  }
}

/** A timer of a process: what falls due while it is stopped happens when it goes on, but for what is cancelled by then. */
class ScopedEntry extends Entry {
  readonly #clock: ScopedClock

  constructor(atMs: number, sequence: number, callback: () => void, clock: ScopedClock) {
    super(atMs, sequence, callback)
    this.#clock = clock
  }

  override fire(): void {
    if (this.#clock.isRunning) this.call()
    else this.#clock.enter(() => this.call())
  }
}

/** How many turns of the event loop are asked for at once: between two of them Node runs every promise that can go on, and polls for no I/O. */
const TURNS = 64

const waiting: (() => void)[] = []
let turnsLeft = 0

function turn(): void {
  turnsLeft--
  waiting.shift()?.()
}

/** Calls back when every promise that can go on without a timer or I/O has done so. */
function whenSettled(callback: () => void): void {
  waiting.push(callback)
  if (turnsLeft >= waiting.length) return
  for (const wanted = Math.max(TURNS, waiting.length); turnsLeft < wanted; turnsLeft++) setImmediate(turn)
}

/** Resolves when every promise that can go on without a timer or I/O has done so. */
export function settle(): Promise<void> {
  return new Promise(whenSettled)
}

/** How far apart two events may be and still be handled in one tick, as epoll hands out several events at once. */
const TICK_MS = 0.05
/** No timer is finer: a rest that rounding has left must pass, too. */
const RESOLUTION_MS = 0.001
/** As many events at one time are an endless loop. */
const TICKS_MAX = 100_000

/**
 * A clock that stands still until it is told to move: timers fire in the order of their time, then of their creation.
 * `advance` is for synchronous code, `run` for code with promises.
 */
export class SimClock implements Clock {
  #nowMs = 0
  #wallOffsetMs: number
  #sequence = 0
  #heap: Entry[] = []
  #deferred: (() => void)[] = []
  /** Ticks since time last moved. */
  #ticks = 0

  constructor(wallMs = 1_700_000_000_000) {
    this.#wallOffsetMs = wallMs
  }

  wallMs(): number {
    return Math.floor(this.#wallOffsetMs + this.#nowMs)
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  /** Lets the wall clock jump, monotonic time unmoved. */
  shiftWall(byMs: number): void {
    this.#wallOffsetMs += byMs
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#push(new Entry(this.#nowMs + Math.max(0, delayMs), this.#sequence++, callback))
  }

  /** A timer of a process. */
  setTimerOf(clock: ScopedClock, delayMs: number, callback: () => void): Timer {
    return this.#push(new ScopedEntry(this.#nowMs + Math.max(0, delayMs), this.#sequence++, callback, clock))
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback)
  }

  /** Runs what was deferred, and what that defers. */
  runDeferred(): void {
    while (this.#deferred.length > 0) {
      const due = this.#deferred
      this.#deferred = []
      for (const callback of due) callback()
    }
  }

  /** Moves time by `ms`, firing what falls due on the way. Promises that this settles have not gone on when it returns. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    this.runDeferred()
    for (let entry = this.#next(untilMs); entry !== undefined; entry = this.#next(untilMs)) {
      this.#fire(entry)
      this.runDeferred()
    }
    this.#nowMs = untilMs
  }

  /** As `advance`, but lets promises go on after every event. */
  async run(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    await this.#go(untilMs, () => false)
    this.#nowMs = untilMs
  }

  /** Runs until `done`; throws when `limitMs` pass first, or when nothing is left that could happen. */
  async runUntil(done: () => boolean, limitMs: number): Promise<void> {
    const isDone = await this.#go(this.#nowMs + limitMs, done)
    if (!isDone) throw new Error(`not done after ${limitMs} ms of simulated time`)
  }

  /** Runs until the promise settles, and gives its result. */
  async runFor<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let settled = false
    const mark = () => {
      settled = true
    }
    promise.then(mark, mark)
    await this.runUntil(() => settled, limitMs)
    return promise
  }

  /** A clock on the same time whose timers can be dropped all at once: a process that can be killed. */
  scope(): ScopedClock {
    return new ScopedClock(new MachineTime(this))
  }

  /** Ticks until `done`, looked at between two of them: true. False: nothing is left to happen until then. */
  #go(untilMs: number, done: () => boolean): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    /** The next event of the tick under way. */
    let next: Entry | undefined
    let tickEndMs = 0
    // No promise of its own an event: of these there are a hundred thousand in a minute.
    const step = (): void => {
      try {
        if (next !== undefined) {
          this.#fire(next)
          next = this.#next(tickEndMs)
        } else if (this.#deferred.length > 0) {
          this.runDeferred()
          if (++this.#ticks > TICKS_MAX) throw new Error(`time stands still at ${this.#nowMs} ms`)
        } else {
          if (done()) return resolve(true)
          const first = this.#next(untilMs)
          if (first === undefined) return resolve(false)
          this.#fire(first)
          tickEndMs = Math.min(untilMs, first.atMs + TICK_MS)
          next = this.#next(tickEndMs)
        }
        whenSettled(step)
      } catch (error) {
        reject(error)
      }
    }
    whenSettled(step)
    return promise
  }

  #fire(entry: Entry): void {
    this.#ticks = entry.atMs > this.#nowMs ? 0 : this.#ticks + 1
    if (this.#ticks > TICKS_MAX) throw new Error(`time stands still at ${this.#nowMs} ms`)
    this.#nowMs = Math.max(this.#nowMs, entry.atMs)
    entry.fire()
  }

  #next(untilMs: number): Entry | undefined {
    for (let top = this.#heap[0]; top !== undefined && top.atMs <= untilMs; top = this.#heap[0]) {
      this.#pop()
      if (top.callback !== undefined) return top
    }
    return undefined
  }

  #push(entry: Entry): Timer {
    const heap = this.#heap
    let index = heap.length
    heap.push(entry)
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (above === undefined || !isBefore(entry, above)) break
      heap[index] = above
      index = parent
    }
    heap[index] = entry
    return entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const a = heap[left]
      const b = heap[left + 1]
      const [child, at] = a !== undefined && b !== undefined && isBefore(b, a) ? [b, left + 1] : [a, left]
      if (child === undefined || !isBefore(child, last)) break
      heap[index] = child
      index = at
    }
    heap[index] = last
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence)
}

/** The time of one machine: its wall clock may be wrong, and its oscillator fast or slow. It outlives the machine's processes. */
export class MachineTime {
  readonly clock: SimClock
  #rate = 1
  /** Where the present rate began: in the world's time and in this machine's. */
  #sinceMs = 0
  #baseMs = 0
  #wallShiftMs = 0

  constructor(clock: SimClock) {
    this.clock = clock
  }

  /** Seconds of this machine in a second of the world: 1.01 runs one percent fast. Timers that are set keep their time. */
  set rate(rate: number) {
    this.#baseMs = this.monotonicMs()
    this.#sinceMs = this.clock.monotonicMs()
    this.#rate = rate
  }
  get rate(): number {
    return this.#rate
  }

  /** Lets this machine's wall clock jump, monotonic time unmoved. */
  shiftWall(byMs: number): void {
    this.#wallShiftMs += byMs
  }

  monotonicMs(): number {
    return this.#baseMs + (this.clock.monotonicMs() - this.#sinceMs) * this.#rate
  }
  wallMs(): number {
    const drift = this.monotonicMs() - this.clock.monotonicMs()
    return Math.floor(this.clock.wallMs() + drift + this.#wallShiftMs)
  }
}

/** What one simulated process sees as its clock; after `kill` nothing that it asked for happens. */
export class ScopedClock implements Clock {
  readonly #time: MachineTime
  #alive = true
  /** What happened to a process that was stopped, for when it goes on. */
  #held: (() => void)[] | undefined

  constructor(time: MachineTime) {
    this.#time = time
  }

  get alive(): boolean {
    return this.#alive
  }
  /** What falls due happens at once. */
  get isRunning(): boolean {
    return this.#alive && this.#held === undefined
  }
  get isStopped(): boolean {
    return this.#held !== undefined
  }
  wallMs(): number {
    return this.#time.wallMs()
  }
  monotonicMs(): number {
    return this.#time.monotonicMs()
  }
  setTimer(delayMs: number, callback: () => void): Timer {
    const least = delayMs > 0 ? RESOLUTION_MS : 0
    return this.#time.clock.setTimerOf(this, Math.max(least, delayMs / this.#time.rate), callback)
  }
  defer(callback: () => void): void {
    this.#time.clock.defer(() => this.enter(callback))
  }

  /** Calls back into the process: now, once it goes on where it is stopped, never where it is gone. */
  enter(callback: () => void): void {
    if (!this.#alive) return
    if (this.#held !== undefined) this.#held.push(callback)
    else callback()
  }

  /** SIGSTOP: nothing runs; SIGCONT, and what fell due in between happens, in its order. */
  stop(): void {
    this.#held ??= []
  }
  continue(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const callback of held) this.#time.clock.setTimer(0, () => this.enter(callback))
  }

  kill(): void {
    this.#alive = false
    this.#held = undefined
  }
}
