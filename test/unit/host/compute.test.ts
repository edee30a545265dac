import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { CodecError } from '../../../broker/env/compute.ts'
import { NodeCompute } from '../../../broker/host/compute.ts'
import { checkLz4Frame } from '../../../broker/host/lz4-frame.ts'

const compute = new NodeCompute()
const codecs = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const MAX_BYTES = 1_000_000
const utf8 = (text: string) => new TextEncoder().encode(text)

/** Neither random nor constant: what compresses to something between. */
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 2000 }))
    .map(([bytes, times]) =>
      Uint8Array.from({ length: bytes.length * times }, (_, index) => bytes[index % bytes.length] ?? 0),
    ),
)

describe.each(codecs)('%s', (codec) => {
  test('gives back what it compressed', () => {
    fc.assert(
      fc.property(payload, (data) => {
        const back = compute.decompressSync(codec, compute.compressSync(codec, data), data.length)
        expect(Buffer.compare(back, data)).toBe(0)
      }),
    )
  })

  test('gives back large payloads off the event loop', async () => {
    const data = Uint8Array.from({ length: 400_000 }, (_, index) => (index * index) >>> 9)
    const packed = await compute.compress(codec, data)
    expect(Buffer.compare(await compute.decompress(codec, packed, data.length), data)).toBe(0)
  })

  test('gives back the same for a look', () => {
    fc.assert(
      fc.property(payload, (data) => {
        const back = compute.decompressBriefly(codec, compute.compressSync(codec, data), data.length)
        expect(Buffer.compare(back, data)).toBe(0)
      }),
    )
  })

  test('refuses one byte more than the limit', async () => {
    const packed = compute.compressSync(codec, new Uint8Array(300_000))
    expect(() => compute.decompressSync(codec, packed, 299_999)).toThrow(CodecError)
    await expect(compute.decompress(codec, packed, 299_999)).rejects.toThrow(CodecError)
  })

  test('refuses a payload that is cut short', () => {
    const packed = compute.compressSync(codec, utf8('some text, some text, some more text'))
    expect(() => compute.decompressSync(codec, packed.subarray(0, packed.length - 5), MAX_BYTES)).toThrow(CodecError)
  })

  test('never does more than throw on noise or on flipped bits', () => {
    const packed = compute.compressSync(
      codec,
      utf8('text that repeats, text that repeats, text that repeats'.repeat(20)),
    )
    const flipped = fc
      .array(fc.tuple(fc.nat(packed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((changes) => {
        const copy = Uint8Array.from(packed)
        for (const [position, byte] of changes) copy[position] = byte
        return copy
      })
    fc.assert(
      fc.property(fc.oneof(flipped, fc.uint8Array({ maxLength: 100 })), (data) => {
        try {
          expect(compute.decompressSync(codec, data, MAX_BYTES).length).toBeLessThanOrEqual(MAX_BYTES)
        } catch (error) {
          expect(error).toBeInstanceOf(CodecError)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('snappy', () => {
  test('reads a raw block', () => {
    const raw = Uint8Array.from([5, 16, ...utf8('hello')])
    expect(Buffer.from(compute.decompressSync('snappy', raw, 5)).toString()).toBe('hello')
  })

  test('reads a raw block with a copy that overlaps itself', () => {
    const raw = Uint8Array.from([8, 4, ...utf8('ab'), (6 - 4) * 4 + 1, 2])
    expect(Buffer.from(compute.decompressSync('snappy', raw, 8)).toString()).toBe('abababab')
  })

  test('reads two streams behind each other', () => {
    const stream = compute.compressSync('snappy', utf8('ab'))
    expect(Buffer.from(compute.decompressSync('snappy', Buffer.concat([stream, stream]), 4)).toString()).toBe('abab')
  })

  test('reads a short copy from more than 255 bytes back', () => {
    const literal = Uint8Array.from({ length: 300 }, (_, index) => index % 251)
    const raw = Uint8Array.from([
      0xb0,
      0x02,
      61 << 2,
      299 & 0xff,
      299 >>> 8,
      ...literal,
      ((300 >>> 8) << 5) | 1,
      300 & 0xff,
    ])
    expect([...compute.decompressSync('snappy', raw, 304)]).toEqual([...literal, 0, 1, 2, 3])
  })

  test.each([
    ['a copy from before the start', [5, 0, 97, 1, 2]],
    ['a copy of distance 0', [5, 0, 97, 1, 0]],
    ['a literal that is cut short', [5, 16, 97, 98]],
    ['less than was announced', [5, 0, 97]],
    ['more than was announced', [1, 4, 97, 98]],
    ['a copy without its distance', [5, 0, 97, 2, 1]],
  ])('refuses %s', (_, raw) => {
    expect(() => compute.decompressSync('snappy', Uint8Array.from(raw), 100)).toThrow(
      /snappy: (malformed|\d+ bytes where)/,
    )
  })

  test('counts the blocks of a stream together against the limit, before the last is decoded', () => {
    const stream = compute.compressSync('snappy', new Uint8Array(64 * 1024))
    expect(() => compute.decompressSync('snappy', stream, 40_000)).toThrow(
      'a block of 32768 bytes where 7232 are allowed',
    )
  })

  test('refuses a literal of 2^32 bytes instead of going back and forth in it', () => {
    const raw = Uint8Array.from([5, 63 << 2, 0xfa, 0xff, 0xff, 0xff, 0, 0])
    expect(() => compute.decompressSync('snappy', raw, 100)).toThrow(CodecError)
  })

  test('refuses a length that its bytes cannot hold before it allocates', () => {
    const raw = Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0x07, 0])
    expect(() => compute.decompressSync('snappy', raw, 2 ** 32)).toThrow('cannot hold')
  })
})

describe('lz4', () => {
  const packed = compute.compressSync('lz4', new Uint8Array(1000))

  test('refuses blocks that depend on each other, which Java cannot read', () => {
    const linked = Uint8Array.from(packed, (byte, index) => (index === 4 ? byte & ~0x20 : byte))
    expect(() => compute.decompressSync('lz4', linked, 1000)).toThrow('depend')
  })

  test('refuses a frame without an end', () => {
    expect(() => compute.decompressSync('lz4', packed.subarray(0, packed.length - 4), 1000)).toThrow('no end')
  })

  test('measures a block exactly where the rough bound is past the limit', () => {
    expect(() => checkLz4Frame(packed, 1000)).not.toThrow()
    expect(() => checkLz4Frame(packed, 999)).toThrow('more than the 999 bytes')
  })

  test('takes a frame whose blocks could hold more than the limit, but do not', () => {
    expect(compute.decompressSync('lz4', packed, 1000)).toHaveLength(1000)
  })
})

test('a higher level makes a payload no larger', () => {
  const data = Uint8Array.from({ length: 50_000 }, (_, index) => (index * 31) ^ (index >>> 5))
  for (const codec of ['gzip', 'zstd'] as const) {
    expect(compute.compressSync(codec, data, 9).length).toBeLessThanOrEqual(compute.compressSync(codec, data, 1).length)
  }
})

test('what is done at once waits for no thread', async () => {
  const done: string[] = []
  const data = Uint8Array.from({ length: 400_000 }, (_, index) => (index * index) >>> 9)
  const pooled = Array.from({ length: 8 }, async () => {
    await compute.compress('gzip', data)
    done.push('gzip')
  })
  await compute.compress('snappy', utf8('some text'))
  done.push('snappy')
  await Promise.all(pooled)
  expect(done[0]).toBe('snappy')
})
