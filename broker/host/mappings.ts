/** Where something is in a source. Lines and columns count from 1. */
export interface Origin {
  readonly source: string
  readonly line: number
  readonly column: number
}

const SEMICOLON = 0x3b
const COMMA = 0x2c
/** What each character of base64 stands for. */
const DIGITS = new Uint8Array(128)
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
for (let digit = 0; digit < BASE64.length; digit++) DIGITS[BASE64.charCodeAt(digit)] = digit

/** What is kept of each line: where it begins in the text, and the three fields that go on counting from line to line. */
const KEPT = 4

/**
 * The `mappings` of a source map (ECMA-426): where the lines of a file come from. One pass over the text, half a megabyte of a broker, finds where each
 * line begins; of a line, only what is asked for is decoded. Libraries and Node's own SourceMap decode all of it, which takes three times as long, and
 * a broker serves nobody meanwhile.
 */
export class Mappings {
  readonly #sources: readonly string[]
  readonly #text: string
  readonly #lines: Int32Array
  /** Of the segment that was decoded last: its column, then source, line and column of its origin, and a name. All count from 0. */
  readonly #fields = new Int32Array(5)
  #count = 0

  constructor(sources: readonly string[], text: string) {
    this.#sources = sources
    this.#text = text
    this.#lines = this.#index()
  }

  /** Of what is at `line` and `column` of the file, as V8 tells them; null where it comes from nowhere. */
  origin(line: number, column: number): Origin | null {
    const kept = this.#lines.subarray((line - 1) * KEPT, line * KEPT)
    const [start = -1] = kept
    if (start < 0) return null
    this.#fields[0] = 0
    this.#fields.set(kept.subarray(1), 1)
    let found: Origin | null = null
    for (let at = start; at < this.#text.length && this.#text.charCodeAt(at) !== SEMICOLON; at++) {
      at = this.#segment(at)
      const [from = 0, source = 0, originLine = 0, originColumn = 0] = this.#fields
      if (from > column - 1) break
      // Who points into the midst of a segment is told where in it, as long as that is the same line.
      found = this.#count < 4 ? null : this.#told(source, originLine, originColumn + (column - 1 - from))
      if (this.#text.charCodeAt(at) === SEMICOLON) break
    }
    return found
  }

  #told(source: number, line: number, column: number): Origin {
    return { source: this.#sources[source] ?? '', line: line + 1, column: column + 1 }
  }

  /** As plain as can be: it runs before V8 has had a reason to optimize it, and to call `#segment` for each takes twice as long. */
  #index(): Int32Array {
    const text = this.#text
    const kept = [0, 0, 0, 0]
    let [source, line, column, field, value, shift] = [0, 0, 0, 0, 0, 0]
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === SEMICOLON) {
        kept.push(at + 1, source, line, column)
        field = 0
      } else if (code === COMMA) {
        field = 0
      } else {
        const digit = DIGITS[code] ?? 0
        value |= (digit & 31) << shift
        shift += 5
        if (digit > 31) continue
        if (field === 1) source += signed(value)
        else if (field === 2) line += signed(value)
        else if (field === 3) column += signed(value)
        field += 1
        value = 0
        shift = 0
      }
    }
    return Int32Array.from(kept)
  }

  /** Adds the segment at `at` to the fields; gives where it ends. */
  #segment(at: number): number {
    const text = this.#text
    const fields = this.#fields
    let [field, value, shift] = [0, 0, 0]
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === COMMA || code === SEMICOLON) break
      const digit = DIGITS[code] ?? 0
      value |= (digit & 31) << shift
      shift += 5
      if (digit > 31) continue
      fields[field] = (fields[field] ?? 0) + signed(value)
      field += 1
      value = 0
      shift = 0
    }
    this.#count = field
    return at
  }
}

/** The sign is the lowest bit. */
function signed(value: number): number {
  return (value & 1) === 0 ? value >>> 1 : -(value >>> 1)
}
