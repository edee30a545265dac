import { within } from './error.ts'
import type { Field, Fields } from './fields.ts'
import { method } from './generate-decoder.ts'
import { defaultExpression, defaultTest, planFields, type PlannedField } from './plan.ts'
import { cutToFit, type Writer } from './writer.ts'

export type Encoder<T> = (writer: Writer, value: T) => void

/** Generates the encoder of one version of a struct; as `generateDecoder`. What the version lacks is dropped. */
export function generateEncoder<T>(fields: Fields, version: number, flexible: boolean): Encoder<T> {
  const generator = new EncoderGenerator(version, flexible)
  const root = generator.struct(fields)
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- as in generateDecoder
  const build = new Function(
    'within',
    'cutToFit',
    'NO_BYTES',
    'NONE',
    `'use strict'\n${generator.source}\nreturn ${root}`,
  )
  return build(within, cutToFit, new Uint8Array(0), Object.freeze({}))
}

class EncoderGenerator {
  source = ''
  #functions = 0
  readonly #version: number
  readonly #flexible: boolean

  constructor(version: number, flexible: boolean) {
    this.#version = version
    this.#flexible = flexible
  }

  #define(body: string): string {
    const name = `write${this.#functions++}`
    this.source += `function ${name}(w, v) {${body}}\n`
    return name
  }

  struct(fields: Fields): string {
    const planned = planFields(fields, this.#version, this.#flexible).filter(({ present }) => present)
    const plain = planned
      .filter(({ tag }) => tag === undefined)
      .map((field) => `at = '${field.name}'\n{ const x = ${valueOf(field)}; ${this.#write(field, 'x')} }\n`)
    const tags = this.#flexible ? this.#tags(planned.filter(({ tag }) => tag !== undefined)) : ''
    return this.#define(`let at = ''\ntry {\n${plain.join('')}${tags}} catch (error) { throw within(error, at) }\n`)
  }

  /** KIP-482: the count, then each in ascending order of its tag: tag, size, value. */
  #tags(tagged: readonly PlannedField[]): string {
    if (tagged.length === 0) return 'w.unsignedVarint(0)\n'
    const ascending = tagged.toSorted((a, b) => (a.tag ?? 0) - (b.tag ?? 0))
    const counts = ascending.map((field) => {
      return `at = '${field.name}'\nconst has${field.tag} = !${defaultTest(field.field, `v.${field.name}`)}\n`
    })
    const total = ascending.map(({ tag }) => `(has${tag} ? 1 : 0)`).join(' + ')
    const writes = ascending.map(
      (field) =>
        `if (has${field.tag}) { at = '${field.name}'; const x = v.${field.name}; const mark = w.enterTag(${field.tag}); ` +
        `${this.#write(field, 'x')}; w.leaveTag(mark) }\n`,
    )
    return `${counts.join('')}w.unsignedVarint(${total})\n${writes.join('')}`
  }

  #write({ field, nullable, compact, tag }: PlannedField, x: string): string {
    switch (field.kind) {
      case 'string':
        return `w.${method('String', nullable, compact)}(${field.options.cut ? `cutToFit(${x})` : x})`
      case 'bytes':
      case 'records':
        return `w.${method('Bytes', nullable, compact)}(${x})`
      case 'array': {
        const write = `${this.#array(field)}(w, ${x})`
        return nullable ? `if (${x} === null) w.${method('NullArray', false, compact)}(); else ${write}` : write
      }
      case 'struct': {
        const write = `${this.struct(field.fields ?? {})}(w, ${x})`
        return nullable
          ? `if (${x} === null) w.int8(${tag === undefined ? -1 : 0}); else { w.int8(1); ${write} }`
          : write
      }
      default:
        return `w.${field.kind}(${x})`
    }
  }

  #array(field: Field): string {
    const [element] = planFields({ element: field.element ?? field }, this.#version, this.#flexible)
    if (field.element === undefined || element === undefined) throw new TypeError('an array without an element')
    return this.#define(
      `const count = v.length\nw.${method('ArrayCount', false, this.#flexible)}(count)\nlet i = 0\n` +
        `try {\nfor (; i < count; i++) { ${this.#write(element, 'v[i]')} }\n` +
        `} catch (error) { throw within(error, '[' + i + ']') }\n`,
    )
  }
}

/** The given value or the field's default; an encoder that is given no struct, or an empty one, writes the defaults of its fields. */
function valueOf({ name, field }: PlannedField): string {
  const isEmptyStruct = field.kind === 'struct' && field.options.default !== null
  return `v.${name} === undefined ? ${isEmptyStruct ? 'NONE' : defaultExpression(field)} : v.${name}`
}
