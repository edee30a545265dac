import { connect, type Socket } from 'node:net'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import type { Api } from '../../../broker/protocol/api.ts'
import { APIS, type RequestInputOf, type ResponseOf } from '../../../broker/protocol/apis.ts'
import { decodeResponse, encodeRequest } from '../../../broker/protocol/frame.ts'
import type { RunningNode } from '../../tools/node.ts'

const CLIENT = 'conformance'
const DOWNGRADE = 2
const LATER_FEATURES = ['group.version', 'share.version', 'streams.version', 'transaction.version']
const ANSWER_MS_MAX = 15_000

/** What a value is by construction: an answer has the type of the API that decoded it. */
// oxlint-disable-next-line no-unnecessary-type-parameters -- it names what is trusted
function trusted<T>(value: unknown): T {
  // oxlint-disable-next-line no-unsafe-type-assertion -- the key, which names the type, is known only at run time
  return value as T
}

/** The declaration of an API whose key is known only at run time. */
function anyApi(key: ApiKey): Api<unknown, object, unknown, object> {
  return trusted(APIS[key])
}

/** A broker, asked in any version over one connection, which is opened again where the broker has closed it. */
export class Target {
  readonly node: RunningNode
  #socket: Socket | undefined

  constructor(node: RunningNode) {
    this.node = node
  }

  /** The answer; 'closed' where the broker ended the connection instead. */
  async call<K extends ApiKey>(key: K, version: number, request: RequestInputOf<K>): Promise<ResponseOf<K> | 'closed'> {
    const answer = await this.exchange(framed(key, version, request))
    return answer === 'closed' ? answer : trusted(decodeResponse(anyApi(key), version, answer))
  }

  /** Sends a request that is not answered. */
  async send<K extends ApiKey>(key: K, version: number, request: RequestInputOf<K>): Promise<void> {
    const socket = await this.#connected()
    socket.write(framed(key, version, request))
  }

  /** Sends a whole frame; the answer is one without its length. */
  async exchange(frame: Uint8Array): Promise<Uint8Array | 'closed'> {
    const socket = await this.#connected()
    const answer = nextFrame(socket)
    socket.write(frame)
    const received = await answer
    if (received === 'closed') this.close()
    return received
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  async #connected(): Promise<Socket> {
    if (this.#socket !== undefined && !this.#socket.destroyed) return this.#socket
    const socket = connect(this.node.port, this.node.host)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    socket.on('error', () => undefined)
    this.#socket = socket
    return socket
  }
}

/** Takes features of Apache Kafka that ours does not have yet out of a cluster of it. */
export async function withoutLaterFeatures(target: Target): Promise<void> {
  const featureUpdates = LATER_FEATURES.map((feature) => ({ feature, maxVersionLevel: 0, upgradeType: DOWNGRADE }))
  const updated = await target.call(ApiKey.UpdateFeatures, 2, { featureUpdates })
  if (updated === 'closed' || updated.errorCode !== 0) throw new Error(`UpdateFeatures: ${JSON.stringify(updated)}`)
}

function framed<K extends ApiKey>(key: K, version: number, request: RequestInputOf<K>): Uint8Array {
  return Buffer.concat(encodeRequest(anyApi(key), version, 1, CLIENT, request))
}

function nextFrame(socket: Socket): Promise<Uint8Array | 'closed'> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0)
    const end = (): void => {
      clearTimeout(timer)
      socket.off('data', onData)
      socket.off('close', onClose)
    }
    const onClose = (): void => {
      end()
      resolve('closed')
    }
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk])
      if (received.length < 4 || received.length < 4 + received.readInt32BE()) return
      end()
      resolve(received.subarray(4))
    }
    const timer = setTimeout(() => {
      end()
      socket.destroy()
      reject(new Error(`no answer in ${ANSWER_MS_MAX} ms`))
    }, ANSWER_MS_MAX)
    socket.on('data', onData)
    socket.on('close', onClose)
  })
}
