import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { FrameDecoder } from '../../../broker/protocol/frame-decoder.ts'

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

  test('gives a view of a chunk that holds the whole frame', () => {
    const chunk = framed(Uint8Array.of(1, 2, 3))
    const decoder = new FrameDecoder(100)
    decoder.push(chunk)
    expect(decoder.next()?.buffer).toBe(chunk.buffer)
  })

  test.each(['ffffffff', '80000000', '00000065'])('refuses the length %s as soon as it is there', (hex) => {
    const decoder = new FrameDecoder(100)
    decoder.push(Buffer.from(hex, 'hex'))
    expect(() => decoder.next()).toThrow(expect.objectContaining({ code: 'INVALID_FRAME_LENGTH' }))
  })
})
