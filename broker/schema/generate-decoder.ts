import type { Field, Fields } from './fields.ts'
import { within } from './error.ts'
import { bytesMin, defaultExpression, planFields, type PlannedField } from './plan.ts'
import type { Reader } from './reader.ts'

export type Decoder<T> = (reader: Reader) => T

/**
 * Generates the decoder of one version of a struct: a function for each struct and array, each a straight line of reads that ends in one
 * object literal, so that objects of a message have one hidden class. A generic walk over the declaration costs several times as much.
 * The source consists of names and numbers of our own declarations; nothing from the wire gets into it.
 */
export function generateDecoder<T>(fields: Fields, version: number, flexible: boolean): Decoder<T> {
  const generator = new DecoderGenerator(version, flexible)
  const root = generator.struct(fields)
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- see above
  const build = new Function('within', 'NO_BYTES', `'use strict'\n${generator.source}\nreturn ${root}`)
  return build(within, new Uint8Array(0))
}

class DecoderGenerator {
  source = ''
  #functions = 0
  readonly #version: number
  readonly #flexible: boolean

  constructor(version: number, flexible: boolean) {
    this.#version = version
    this.#flexible = flexible
  }

  #define(body: string): string {
    const name = `read${this.#functions++}`
    this.source += `function ${name}(r) {${body}}\n`
    return name
  }

  struct(fields: Fields): string {
    const planned = planFields(fields, this.#version, this.#flexible)
    const plain = planned.filter(({ present, tag }) => present && tag === undefined)
    const declarations = planned.map((field) => `let ${local(field)} = ${initial(field)}\n`)
    const reads = plain.map((field) => `at = '${field.name}'; ${local(field)} = ${this.#read(field)}\n`)
    const members = planned.map((field) => `${field.name}: ${local(field)}`)
    return this.#define(
      `let at = ''\n${declarations.join('')}` +
        `try {\n${reads.join('')}${this.#flexible ? this.#tags(planned) : ''}` +
        `} catch (error) { throw within(error, at) }\nreturn { ${members.join(', ')} }\n`,
    )
  }

  #tags(planned: readonly PlannedField[]): string {
    const tagged = planned.filter(({ present, tag }) => present && tag !== undefined)
    if (tagged.length === 0) return `at = 'tags'; r.skipTags()\n`
    const cases = tagged.map(
      (field) => `case ${field.tag}: at = '${field.name}'; ${local(field)} = ${this.#read(field)}; break\n`,
    )
    return (
      `at = 'tags'\nfor (let left = r.unsignedVarint(); left > 0; left--) {\n` +
      `const tag = r.unsignedVarint()\nconst end = r.enterTag()\n` +
      `switch (tag) {\n${cases.join('')}default: r.skipRest()\n}\nr.leaveTag(end)\nat = 'tags'\n}\n`
    )
  }

  #read({ field, nullable, compact, tag }: PlannedField): string {
    switch (field.kind) {
      case 'string':
        return `r.${method('String', nullable, compact)}()`
      case 'bytes':
      case 'records':
        return `r.${method('Bytes', nullable, compact)}()`
      case 'array':
        return `${this.#array(field, nullable)}(r)`
      case 'struct': {
        const read = `${this.struct(field.fields ?? {})}(r)`
        if (!nullable) return read
        // As Kafka's generated code has it: a tagged struct is introduced as compact ones would be, others by a byte.
        return tag === undefined ? `r.int8() < 0 ? null : ${read}` : `r.unsignedVarint() === 0 ? null : ${read}`
      }
      default:
        return `r.${field.kind}()`
    }
  }

  #array(field: Field, nullable: boolean): string {
    const element = field.element
    if (element === undefined) throw new TypeError('an array without an element')
    const elementBytes = Math.max(1, bytesMin(element, this.#version, this.#flexible))
    const count = `r.${method('ArrayCount', nullable, this.#flexible)}(${elementBytes})`
    const [planned] = planFields({ element }, this.#version, this.#flexible)
    if (planned === undefined) throw new TypeError('an array without an element')
    return this.#define(
      `const count = ${count}\n${nullable ? 'if (count < 0) return null\n' : ''}const values = []\nlet i = 0\n` +
        `try {\nfor (; i < count; i++) values.push(${this.#read(planned)})\n` +
        `} catch (error) { throw within(error, '[' + i + ']') }\nreturn values\n`,
    )
  }
}

function local(field: PlannedField): string {
  return `$${field.name}`
}

/** A present field is read before it is returned; what it starts with is of its type, which keeps the register monomorphic. */
function initial(field: PlannedField): string {
  return field.present && field.tag === undefined ? 'null' : defaultExpression(field.field)
}

/** `String` -> `string`, `nullableString`, `compactString`, `compactNullableString`. */
export function method(stem: string, nullable: boolean, compact: boolean): string {
  const name = `${compact ? 'Compact' : ''}${nullable ? 'Nullable' : ''}${stem}`
  return `${name[0]?.toLowerCase()}${name.slice(1)}`
}
