import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { FrameDecoder } from '../../../broker/protocol/frame-decoder.ts'

const MIB = 1024 * 1024
const READS_MAX = 2000

function framed(payload: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(payload.length)
  return Buffer.concat([length, payload])
}

function drain(decoder: FrameDecoder): string[] {
  const frames: string[] = []
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next())
    frames.push(Buffer.from(frame).toString('hex'))
  return frames
}

describe('FrameDecoder', () => {
  test('gives the same frames however the stream is cut', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 })
    fc.assert(
      fc.property(payloads, fc.array(fc.nat(9)), (frames, cuts) => {
        let stream = Buffer.concat(frames.map(framed))
        const decoder = new FrameDecoder(100)
        const got: string[] = []
        for (const size of [...cuts, stream.length]) {
          decoder.push(stream.subarray(0, size))
          stream = stream.subarray(size)
          got.push(...drain(decoder))
        }
        expect(got).toEqual(frames.map((frame) => Buffer.from(frame).toString('hex')))
      }),
    )
  })

  test('gives the same frames where many come at a time, and the host uses its chunks again', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 3 }), { minLength: 20, maxLength: 100 })
    fc.assert(
      fc.property(payloads, fc.array(fc.nat(100)), fc.nat(20), (frames, cuts, taken) => {
        let stream = Buffer.concat(frames.map(framed))
        const decoder = new FrameDecoder(100)
        const got: string[] = []
        for (const size of [...cuts, stream.length]) {
          const chunk = Buffer.from(stream.subarray(0, size))
          decoder.push(chunk)
          chunk.fill(255)
          stream = stream.subarray(size)
          // Whoever takes only some gets the others later.
          for (let count = 0; count < taken; count++) {
            const frame = decoder.next()
            if (frame !== undefined) got.push(Buffer.from(frame).toString('hex'))
          }
        }
        got.push(...drain(decoder))
        expect(got).toEqual(frames.map((frame) => Buffer.from(frame).toString('hex')))
      }),
    )
  })

  test('takes no memory for frames that nobody has asked for', () => {
    let taken = 0
    const take = (size: number): Uint8Array => {
      taken++
      return Buffer.alloc(size)
    }
    const decoder = new FrameDecoder(100, { take, isLent: () => false, giveBack: () => {} })
    decoder.push(Buffer.alloc(64 * 1024))
    expect(taken).toBe(16)
    expect(drain(decoder)).toHaveLength(16 * 1024)
  })

  test('gives the same frames where they are received in place, and the host uses its chunks again', () => {
    const sizes = fc.array(fc.oneof(fc.nat(100), fc.integer({ min: 10_000, max: 100_000 }), fc.constant(3_000_000)), {
      maxLength: 4,
    })
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 70_000 }), (lengths, readBytes) => {
        const frames = lengths.map((length, index) => Buffer.alloc(length, index + 1))
        const stream = Buffer.concat(frames.map(framed))
        const decoder = new FrameDecoder(3_000_000)
        // Millions of bytes one by one show nothing that thousands do not.
        const step = Math.max(readBytes, Math.ceil(stream.length / READS_MAX))
        const scratch = Buffer.alloc(step)
        const got: Uint8Array[] = []
        for (let at = 0; at < stream.length;) {
          const target = decoder.space() ?? scratch
          const size = stream.copy(target, 0, at, at + step)
          at += size
          decoder.push(target.subarray(0, size))
          scratch.fill(255)
          for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) got.push(frame)
        }
        expect(got.map((frame, index) => Buffer.compare(frame, frames[index] ?? Buffer.alloc(0)))).toEqual(
          frames.map(() => 0),
        )
      }),
      { numRuns: 50 },
    )
  })

  test('lets the rest of a large frame be received in place', () => {
    const decoder = new FrameDecoder(200_000)
    const stream = framed(Buffer.alloc(150_000, 7))
    decoder.push(stream.subarray(0, 1000))
    const space = decoder.space() ?? new Uint8Array()
    expect(space.length).toBe(stream.length - 1000)
    stream.copy(space, 0, 1000)
    decoder.push(space)
    expect(decoder.next()?.buffer).toBe(space.buffer)
  })

  test('takes no more memory for a frame than a MiB, or twice what has come', () => {
    const asked: number[] = []
    const memory = {
      take: (size: number) => (asked.push(size), Buffer.alloc(size)),
      isLent: () => false,
      giveBack: () => {},
    }
    const decoder = new FrameDecoder(100 * MIB, memory)
    decoder.push(Buffer.from([6, 0, 0, 0]))
    decoder.push(Buffer.alloc(MIB))
    decoder.push(Buffer.alloc(MIB - 1))
    expect(asked).toEqual([MIB, 2 * MIB])
  })

  test.each(['ffffffff', '80000000', '00000065'])('refuses the length %s as soon as it is there', (hex) => {
    const decoder = new FrameDecoder(100)
    decoder.push(Buffer.from(hex, 'hex'))
    expect(() => decoder.next()).toThrow(expect.objectContaining({ code: 'INVALID_FRAME_LENGTH' }))
  })
})

test.each([
  ['a handshake of TLS', [0x16, 3, 1, 2], true],
  ['an alert of TLS', [0x15, 3, 3, 0], true],
  ['an answer in HTTP', [...Buffer.from('HTTP')], false],
])('%s is told for what it is', (_what, bytes, isTls) => {
  const decoder = new FrameDecoder(100 * 1024 * 1024)
  decoder.push(Uint8Array.from(bytes))
  expect(() => decoder.next()).toThrow(isTls ? 'it looks like TLS' : /allowed$/)
})
