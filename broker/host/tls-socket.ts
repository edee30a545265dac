import type { Socket } from 'node:net'
import { TlsHandshakeError } from '../env/tls.ts'
import { tls } from './builtins.ts'
import { type NodeTlsContext, reasonOf } from './tls.ts'

/** What a socket reads into, and whom it tells. */
export interface OnRead {
  buffer(): Uint8Array
  callback(size: number, buffer: Uint8Array): boolean
}

/** The socket of an accepted connection, as libuv has it. Node documents no name of it. */
interface Handle {
  readonly bytesRead: number
}

/** To copy a piece of this size costs more than to encrypt it by itself. */
const APART_BYTES_MIN = 32 * 1024

interface Chunk {
  readonly chunk: Uint8Array
  readonly encoding: BufferEncoding
}

const NO_CERTIFICATE = 'the client gave no certificate, and ssl.client.auth=required'

/** OpenSSL's errors that a client's mistake explains; the others are told as they are. */
const MISTAKES: readonly (readonly [RegExp, string])[] = [
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|BAD_RECORD_TYPE/,
    'what came is not TLS: the client may speak PLAINTEXT',
  ],
  [/HTTP_REQUEST|HTTPS_PROXY_REQUEST/, 'what came is HTTP'],
  [/UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION/, 'client and listener have no TLS version in common'],
  [/NO_SHARED_CIPHER/, 'client and listener have no cipher suite in common'],
  [/PEER_DID_NOT_RETURN_A_CERTIFICATE/, NO_CERTIFICATE],
  [/ALERT_(UNKNOWN_CA|CERTIFICATE_UNKNOWN|BAD_CERTIFICATE|DECRYPT_ERROR)/, 'the client does not trust the certificate'],
  [/ALERT_CERTIFICATE_EXPIRED/, 'the client takes the certificate for expired'],
]

export interface SecuredOptions {
  readonly context: NodeTlsContext
  readonly onread: OnRead
  /** How long the handshake may take. */
  readonly handshakeMsMax: number
}

/** The encrypted stream over an accepted socket, which it takes over. What its handshake fails with is a TlsHandshakeError. */
export function secured(accepted: Socket, options: SecuredOptions): Socket {
  const handle = Reflect.get(accepted, '_handle') as Handle
  const socket = new (socketClass())(handle, options)
  Reflect.set(accepted, '_handle', null)
  return socket
}

type SocketClass = new (handle: Handle, options: SecuredOptions) => Socket
let known: SocketClass | undefined

/** Made when there is a TLS listener: to load what is behind it takes a part of a start. */
function socketClass(): SocketClass {
  known ??= newSocketClass()
  return known
}

/**
 * Node has `onread` for sockets that it makes itself, and makes none over a handle that is there: `_wrapHandle`, where it would make one, is
 * given the accepted one instead. It is not documented; neither is what the check of a client's certificate came to.
 */
function newSocketClass(): SocketClass {
  const { TLSSocket } = tls()
  const inherited = (name: string, socket: Socket, args: readonly unknown[]): unknown =>
    Reflect.apply(Reflect.get(TLSSocket.prototype, name) as (...args: unknown[]) => unknown, socket, args)
  return class extends TLSSocket {
    readonly #handle: Handle
    readonly #timer: NodeJS.Timeout
    #isSecure = false

    constructor(handle: Handle, { context, onread, handshakeMsMax }: SecuredOptions) {
      const { secureContext, clientAuth } = context
      const own = { isServer: true, secureContext, requestCert: clientAuth !== 'none' }
      super(undefined as never, { ...own, rejectUnauthorized: clientAuth === 'required', onread, handle } as object)
      // It takes itself for one that has yet to connect.
      Reflect.set(this, 'connecting', false)
      this.#handle = handle
      this.#timer = setTimeout(() => this.#fail(`it took more than ${handshakeMsMax} ms`), handshakeMsMax).unref()
      this.once('secure', () => {
        const problem = clientAuth === 'none' ? undefined : this.#clientProblem(clientAuth === 'required')
        if (problem !== undefined) return this.#fail(problem)
        this.#isSecure = true
        clearTimeout(this.#timer)
      })
    }

    _wrapHandle(_socket: unknown, handle: unknown, hasWrites: boolean): unknown {
      const options = Reflect.get(this, '_tlsOptions') as { readonly handle: Handle }
      return inherited('_wrapHandle', this, [null, handle ?? options.handle, hasWrites])
    }

    /** Node copies what is written together into one piece before it encrypts it. */
    override _writev(chunks: Chunk[], callback: (error?: Error | null) => void): void {
      const isSmall = chunks.every(({ chunk }) => chunk.length < APART_BYTES_MIN)
      if (isSmall) inherited('_writev', this, [chunks, callback])
      else this.#writeApart(piecesOf(chunks), 0, callback)
    }

    #writeApart(pieces: readonly Uint8Array[], at: number, callback: (error?: Error | null) => void): void {
      const piece = pieces[at]
      if (piece === undefined) return callback()
      const written = (error?: Error | null): void => {
        if (error === null || error === undefined) this.#writeApart(pieces, at + 1, callback)
        else callback(error)
      }
      inherited('_write', this, [piece, 'buffer', written])
    }

    /** A certificate that was given is checked also where it need not be, as in Apache Kafka. */
    #clientProblem(isRequired: boolean): string | undefined {
      if (this.getPeerX509Certificate() === undefined) return isRequired ? NO_CERTIFICATE : undefined
      const handle = Reflect.get(this, '_handle') as { verifyError(): { readonly code?: string } | null }
      const code = handle.verifyError()?.code
      return code === undefined ? undefined : `the client's certificate is not trusted: ${code}`
    }

    #fail(reason: string): void {
      this.destroy(new TlsHandshakeError(reason))
    }

    override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
      clearTimeout(this.#timer)
      inherited('_destroy', this, [this.#isSecure ? error : this.#handshakeError(error), callback])
    }

    /** Who looks whether the port is open sends nothing, and is no failure. */
    #handshakeError(error: Error | null): Error | null {
      if (error instanceof TlsHandshakeError || this.#handle.bytesRead === 0) return error
      if (error !== null) return new TlsHandshakeError(mistakeOf(error), { cause: error })
      return this.readableEnded ? new TlsHandshakeError('the client left in the midst of it') : null
    }
  }
}

/** The same bytes: large ones as they are, small ones that follow each other in one piece. */
function piecesOf(chunks: readonly Chunk[]): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let small: Uint8Array[] = []
  const join = (): void => {
    if (small.length > 0) pieces.push(Buffer.concat(small))
    small = []
  }
  for (const { chunk } of chunks) {
    if (chunk.length < APART_BYTES_MIN) small.push(chunk)
    else {
      join()
      pieces.push(chunk)
    }
  }
  join()
  return pieces
}

function mistakeOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : ''
  return MISTAKES.find(([pattern]) => pattern.test(code))?.[1] ?? reasonOf(error)
}
