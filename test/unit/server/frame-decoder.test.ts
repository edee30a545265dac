import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { FrameDecoder, FrameError } from '../../../broker/server/frame-decoder.ts'

const MAX = 1000

function framed(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(payload.length + 4)
  new DataView(frame.buffer).setInt32(0, payload.length)
  frame.set(payload, 4)
  return frame
}

function drain(decoder: FrameDecoder): number[][] {
  const frames: number[][] = []
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push([...frame])
  return frames
}

describe('FrameDecoder', () => {
  test('gives the same frames however the stream is cut', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 })
    fc.assert(
      fc.property(payloads, fc.array(fc.integer({ min: 0, max: 30 })), (frames, cuts) => {
        const stream = new Uint8Array(frames.flatMap((frame) => [...framed(frame)]))
        const decoder = new FrameDecoder(MAX)
        const seen: number[][] = []
        let position = 0
        for (const cut of [...cuts, stream.length]) {
          decoder.push(stream.subarray(position, position + cut))
          position = Math.min(stream.length, position + cut)
          seen.push(...drain(decoder))
        }
        expect(seen).toEqual(frames.map((frame) => [...frame]))
      }),
    )
  })

  test('a frame within one chunk is a view of it', () => {
    const chunk = framed(Uint8Array.of(1, 2, 3))
    const decoder = new FrameDecoder(MAX)
    decoder.push(chunk)
    expect(decoder.next()?.buffer).toBe(chunk.buffer)
  })

  test.each([
    ['negative', -1],
    ['too large', MAX + 1],
  ])('a %s length is refused when its four bytes are there', (_, length) => {
    const head = new Uint8Array(4)
    new DataView(head.buffer).setInt32(0, length)
    const decoder = new FrameDecoder(MAX)
    decoder.push(head.subarray(0, 3))
    expect(() => decoder.push(head.subarray(3))).toThrow(FrameError)
  })

  test('a bad length behind a good frame is refused when it is reached', () => {
    const decoder = new FrameDecoder(MAX)
    decoder.push(new Uint8Array([...framed(Uint8Array.of(7)), 0xff, 0xff, 0xff, 0xff]))
    expect(decoder.next()).toEqual(Buffer.from([7]).subarray())
    expect(() => decoder.next()).toThrow(FrameError)
  })
})
