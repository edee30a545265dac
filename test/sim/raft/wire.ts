import type { Clock } from '../../../broker/env/clock.ts'
import type { Address } from '../../../broker/env/network.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import {
  APIS,
  type RequestInputOf,
  type RequestOf,
  type ResponseInputOf,
  type ResponseOf,
} from '../../../broker/protocol/apis.ts'
import type { RaftNode } from '../../../broker/raft/raft-node.ts'
import type { RaftApi, RaftTransport } from '../../../broker/raft/raft-types.ts'
import type { Message } from '../../../broker/schema/message.ts'
import { Reader } from '../../../broker/schema/reader.ts'
import { Writer } from '../../../broker/schema/writer.ts'
import { isTooManyFiles } from '../../../broker/storage/errors.ts'
import type { ScopedClock } from '../../fakes/clock.ts'
import type { SimWorld } from '../../fakes/env.ts'

/** A process that takes part in the quorum. */
export interface RaftProcess {
  /** Its machine, which is its address. */
  readonly host: string
  readonly clock: ScopedClock
  readonly node: RaftNode
}

interface Attached extends RaftProcess {
  /** For each request that is not answered yet: what happens to its connection when the process is gone. */
  readonly breaks: Set<() => void>
}

/** Who asks. */
interface Requester {
  readonly host: string
  readonly clock: ScopedClock
  readonly timers: Clock
}

class WireError extends Error {
  readonly code = 'WIRE'
  readonly isRefused: boolean
  constructor(message: string, isRefused: boolean) {
    super(message)
    this.isRefused = isRefused
  }
}

/**
 * Requests between raft nodes without sockets, as cheap as it can be: bodies are encoded and decoded, take the time of the network's
 * links, and are lost or late where links are cut.
 */
export class RaftWire {
  readonly #world: SimWorld
  readonly #served: (host: string, key: RaftApi, from: string) => void
  readonly #processes = new Map<string, Attached>()

  /** `served` hears who has answered what, and whom, before the answer is on its way. */
  constructor(
    options: { readonly served: (host: string, key: RaftApi, from: string) => void },
    deps: { readonly world: SimWorld },
  ) {
    this.#served = options.served
    this.#world = deps.world
  }

  /** From now on, `process` answers at its host. */
  attach(process: RaftProcess): void {
    this.#processes.set(process.host, { ...process, breaks: new Set() })
  }
  /** The process of this host is gone, and who waits for it finds the connection broken. */
  detach(host: string): void {
    const gone = this.#processes.get(host)
    this.#processes.delete(host)
    for (const broken of gone?.breaks ?? []) broken()
  }

  /** The transport of a process on `host`; `timers` is its clock as it sees it. */
  transport(host: string, clock: ScopedClock, timers: Clock = clock): RaftTransport {
    return { request: (to, key, body, timeoutMs) => this.#request({ host, clock, timers }, to, key, body, timeoutMs) }
  }

  #request<K extends RaftApi>(
    { host: from, clock, timers }: Requester,
    to: Address,
    key: K,
    input: RequestInputOf<K>,
    timeoutMs: number,
  ): Promise<ResponseOf<K>> {
    const { request, response, versions } = APIS[key]
    const body: RequestOf<K> = roundTrip<RequestOf<K>, RequestInputOf<K>>(request, versions.max, input)
    const { promise, resolve, reject } = Promise.withResolvers<ResponseOf<K>>()
    let isOver = false
    const abandoned: (() => void)[] = []
    const end = (happen: () => void): void => {
      if (isOver) return
      isOver = true
      timeout.cancel()
      happen()
    }
    const timeout = timers.setTimer(timeoutMs, () => {
      end(() => reject(new WireError(`no answer from ${to.host}`, false)))
      for (const gone of abandoned) gone()
    })
    // Nothing comes to a process that is gone, whatever is still on its way.
    const back = (happen: () => void): void => this.#pass(to.host, from, () => clock.enter(() => end(happen)))
    const broken = (): void => back(() => reject(new WireError(`${to.host} is gone`, false)))
    this.#pass(from, to.host, () => {
      const process = this.#processes.get(to.host)
      if (process === undefined || !process.clock.alive)
        return back(() => reject(new WireError(`${to.host} refuses`, true)))
      process.breaks.add(broken)
      process.clock.enter(() => {
        const serving = serve(process.node, key, body, (gone) => abandoned.push(gone))
        const served = (output: ResponseInputOf<K>): void => {
          process.breaks.delete(broken)
          if (!process.clock.alive) return
          this.#served(to.host, key, from)
          const answer = roundTrip<ResponseOf<K>, ResponseInputOf<K>>(response, versions.max, output)
          back(() => resolve(answer))
        }
        const failed = (error: unknown): void => {
          process.breaks.delete(broken)
          if (!isTooManyFiles(error)) throw error
          broken()
        }
        void serving.then(served, failed)
      })
    })
    return promise
  }

  /** What a cut holds back comes late, or not at all. */
  #pass(from: string, to: string, happen: () => void): void {
    const { network, clock } = this.#world
    const isLost = network.random.chance(0.5)
    const arrive = () => {
      if (network.isCut(from, to) && isLost) return
      network.signal(from, to, happen)
    }
    clock.setTimer(from === to ? 0 : network.delayMs(from, to), arrive)
  }
}

type Abandon = (gone: () => void) => void
type Servers = {
  readonly [Key in RaftApi]: (node: RaftNode, request: RequestOf<Key>, onAbandoned: Abandon) => unknown
}

const SERVERS: Servers = {
  [ApiKey.ApiVersions]: () => ({ apiKeys: [], ...QUORUM_FEATURES }),
  [ApiKey.Vote]: (node, request) => node.vote(request),
  [ApiKey.BeginQuorumEpoch]: (node, request) => node.beginQuorumEpoch(request),
  [ApiKey.EndQuorumEpoch]: (node, request) => node.endQuorumEpoch(request),
  [ApiKey.Fetch]: (node, request, onAbandoned) => node.fetch(request, { onAbandoned }),
  [ApiKey.FetchSnapshot]: (node, request) => node.fetchSnapshot(request),
  [ApiKey.AddRaftVoter]: (node, request) => node.addVoter(request),
  [ApiKey.RemoveRaftVoter]: (node, request) => node.removeVoter(request),
  [ApiKey.UpdateRaftVoter]: (node, request) => node.updateVoter(request),
}

async function serve<K extends RaftApi>(
  node: RaftNode,
  key: K,
  body: RequestOf<K>,
  onAbandoned: Abandon,
): Promise<ResponseInputOf<K>> {
  return (await SERVERS[key](node, body, onAbandoned)) as ResponseInputOf<K>
}

/** What a new voter is asked for: that it speaks kraft.version 1. */
const QUORUM_FEATURES = { supportedFeatures: [{ name: 'kraft.version', minVersion: 0, maxVersion: 1 }] }

/** The message as it arrives. */
export function roundTrip<Out, In>(message: Message<Out, In>, version: number, value: In): Out {
  const writer = new Writer()
  message.encode(writer, version, value)
  return message.decode(new Reader(writer.concat().slice()), version)
}
