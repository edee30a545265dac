// Jest's environment for Node, on an ordinary global object and with stack traces as short as everywhere. Jest's own global is a Proxy behind
// an interceptor, through which every use of a global (Object, Map, Math, Buffer) goes, and its stack traces have a hundred frames, which
// every error pays for, and every `expect`, which makes one: together a good part of what tests cost.
import { constants, createContext } from 'node:vm'
import { TestEnvironment } from 'jest-environment-node'

/** What Jest takes from Node's own realm though each realm has one, so that bytes are of one kind. */
const SHARED = new Set(['ArrayBuffer', 'Uint8Array'])
/** Node's default. */
const STACK_FRAMES = 10

export default class PlainEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context)
    const plain = createContext(constants.DONT_CONTEXTIFY)
    const builtIn = new Set(Reflect.ownKeys(plain))
    for (const key of Reflect.ownKeys(this.global)) {
      if (builtIn.has(key) && !SHARED.has(key)) continue
      const property = Object.getOwnPropertyDescriptor(this.global, key)
      Object.defineProperty(plain, key, 'value' in property ? property : lazy(plain, key, property.enumerable))
    }
    plain.global = plain
    plain.Error.stackTraceLimit = STACK_FRAMES
    this.context = plain
    this.global = plain
    // Those that are there would be set up in the global of before.
    const { constructor: FakeTimers } = this.fakeTimersModern
    this.fakeTimersModern = new FakeTimers({ config: config.projectConfig, global: plain })
  }

  async setup() {
    await super.setup()
    // Jest has just made it a hundred.
    Error.stackTraceLimit = STACK_FRAMES
  }

  /** Jest gives each file a process object of its own, to which nobody tells its end: what it has started, or mounted, would stay. */
  async teardown() {
    try {
      this.global.process.emit('exit', 0)
    } finally {
      await super.teardown()
    }
  }
}

/** Node's own global, looked up when it is first used: some are loaded only then. */
function lazy(target, key, enumerable) {
  const set = (value) => Object.defineProperty(target, key, { value, configurable: true, enumerable, writable: true })
  const get = () => {
    set(globalThis[key])
    return target[key]
  }
  return { configurable: true, enumerable, get, set }
}
