import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { compressFrameSync } from 'lz4-napi'
import { CodecError } from '../../../broker/env/compute.ts'
import { NodeCompute } from '../../../broker/host/compute.ts'
import { Lz4Decoder } from '../../../broker/host/lz4-decoder.ts'
import { LZ4_BLOCK, wasmSource } from '../../tools/wasm.ts'

const MAX_BYTES = 1_000_000
const HEADER = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]

/** Pieces that come again at all distances, with what never does in between. */
const payload = fc
  .array(
    fc.oneof(
      fc.record({ bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }), times: fc.integer({ min: 1, max: 60 }) }),
      fc.record({ bytes: fc.uint8Array({ minLength: 1, maxLength: 5 }), times: fc.integer({ min: 1, max: 2000 }) }),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => {
    const parts = pieces.flatMap(({ bytes, times }) => Array.from({ length: times }, () => Buffer.from(bytes)))
    return Buffer.concat([...parts, ...parts.slice(0, 50)])
  })

/** A frame of one block, and the end mark. */
function frame(block: readonly number[]): Uint8Array {
  return Uint8Array.from([...HEADER, block.length, 0, 0, 0, ...block, 0, 0, 0, 0])
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}

describe('an LZ4 decoder', () => {
  test('is made of its source', async () => {
    expect(readFileSync(`${LZ4_BLOCK}.ts`, 'utf8')).toBe(await wasmSource(LZ4_BLOCK))
  })

  test('gives back what lz4 compressed', () => {
    const decoder = new Lz4Decoder()
    fc.assert(
      fc.property(payload, (data) => {
        const packed = compressFrameSync(data)
        expect(Lz4Decoder.takes(packed)).toBe(true)
        expect(Buffer.compare(decoder.decode(packed, data.length), data)).toBe(0)
      }),
      { numRuns: 300 },
    )
  })

  test('gives back frames of many blocks, stored ones among them', () => {
    const noise = Buffer.from(
      fc.sample(fc.uint8Array({ minLength: 100_000, maxLength: 100_000, size: 'max' }), 1)[0] ?? [],
    )
    const data = Buffer.concat([noise, Buffer.alloc(200_000, 'text '), noise.subarray(0, 70_000)])
    expect(Buffer.compare(new Lz4Decoder().decode(compressFrameSync(data), data.length), data)).toBe(0)
  })

  test('says of damaged frames what the native decoder says', () => {
    const packed = compressFrameSync(Buffer.from('text that repeats, text that repeats'.repeat(20)))
    const decoder = new Lz4Decoder()
    const compute = new NodeCompute()
    const changes = fc.array(fc.tuple(fc.integer({ min: 7, max: packed.length - 1 }), fc.nat(255)), {
      minLength: 1,
      maxLength: 3,
    })
    fc.assert(
      fc.property(changes, (damage) => {
        const damaged = Buffer.from(packed)
        for (const [position, byte] of damage) damaged[position] = byte
        let expected: Uint8Array | undefined
        try {
          expected = compute.decompressSync('lz4', damaged, MAX_BYTES)
        } catch {}
        let decoded: Uint8Array | undefined
        try {
          decoded = decoder.decode(damaged, MAX_BYTES)
        } catch (error) {
          expect(error).toBeInstanceOf(CodecError)
        }
        expect(decoded === undefined ? undefined : text(decoded)).toBe(
          expected === undefined ? undefined : text(expected),
        )
      }),
      { numRuns: 1000 },
    )
  })

  /** An a, 29 more of it, and five letters. */
  const repeating = frame([0x1f, 0x61, 1, 0, 10, 0x50, 0x62, 0x63, 0x64, 0x65, 0x66])

  test('repeats what it is still writing', () => {
    expect(text(new Lz4Decoder().decode(repeating, 35))).toBe(`${'a'.repeat(30)}bcdef`)
  })

  test.each([34, 29, 0])('refuses what comes to more than %d bytes', (maxBytes) => {
    expect(() => new Lz4Decoder().decode(repeating, maxBytes)).toThrow(CodecError)
  })

  test.each([
    ['a match before the block', [0x10, 0x61, 2, 0, 0x50, 1, 2, 3, 4, 5]],
    ['a match at distance 0', [0x10, 0x61, 0, 0, 0x50, 1, 2, 3, 4, 5]],
    ['literals behind the block', [0x60, 1, 2, 3, 4, 5]],
    ['a match at the end', [0x10, 0x61, 1, 0]],
    ['half a distance at the end', [0x10, 0x61, 1]],
    ['a length that does not end', [0xf0, 255, 255]],
  ])('refuses %s', (_, block) => {
    expect(() => new Lz4Decoder().decode(frame(block), MAX_BYTES)).toThrow(CodecError)
  })

  test.each([
    ['a wrong checksum', [0x60, 0x40, 0x83]],
    ['a reserved block size', [0x60, 0x30, 0x00]],
  ])('refuses a header with %s', (_, header) => {
    const bytes = Uint8Array.from([...HEADER.slice(0, 4), ...header, 0, 0, 0, 0])
    expect(() => new Lz4Decoder().decode(bytes, MAX_BYTES)).toThrow(CodecError)
  })

  test.each([
    ['content checksum', 0x64],
    ['content size', 0x68],
    ['block checksums', 0x70],
    ['dependent blocks', 0x40],
  ])('leaves frames with %s to others', (_, flags) => {
    expect(Lz4Decoder.takes(Uint8Array.from([...HEADER.slice(0, 4), flags, 0x40, 0, 0, 0, 0, 0]))).toBe(false)
  })
})
