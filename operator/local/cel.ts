/** What the names of an expression stand for: `self`, and the variables of its macros. */
type Scope = Readonly<Record<string, unknown>>
/** Throws CelError where a field is not there, or a value is of a type that cannot be used so. */
type Evaluate = (scope: Scope) => unknown

/** An expression that cannot be read, or that has no result for a value: it asks for a field that is not there. */
export class CelError extends Error {}

interface Node {
  readonly evaluate: Evaluate
  /** Of an identifier: the variables of macros are. */
  readonly name?: string
  /** Of `of.field`: the macro `has` asks whether it is there. */
  readonly field?: { readonly of: Node; readonly name: string }
}
type Operator = (left: () => unknown, right: () => unknown) => unknown
type Macro = (list: readonly unknown[], body: (item: unknown) => unknown) => unknown

const TOKEN = /\s*('[^'\\]*'|"[^"\\]*"|\d+|[a-zA-Z_]\w*|\|\||&&|[=!<>]=|[-+%!<>?:.,()[\]])\s*/y

/** Those that bind least first. */
const OPERATORS: readonly ReadonlyMap<string, Operator>[] = [
  new Map<string, Operator>([['||', (a, b) => a() === true || b() === true]]),
  new Map<string, Operator>([['&&', (a, b) => a() === true && b() === true]]),
  new Map<string, Operator>([
    ['==', (a, b) => a() === b()],
    ['!=', (a, b) => a() !== b()],
    ['<=', (a, b) => number(a()) <= number(b())],
    ['>=', (a, b) => number(a()) >= number(b())],
    ['<', (a, b) => number(a()) < number(b())],
    ['>', (a, b) => number(a()) > number(b())],
    ['in', (a, b) => itemsOf(b()).includes(a())],
  ]),
  new Map<string, Operator>([['+', (a, b) => sum(a(), b())]]),
  new Map<string, Operator>([['%', (a, b) => number(a()) % number(b())]]),
]

const MACROS: ReadonlyMap<string, Macro> = new Map<string, Macro>([
  ['all', (list, body) => list.every((item) => body(item) === true)],
  ['exists', (list, body) => list.some((item) => body(item) === true)],
  ['exists_one', (list, body) => list.filter((item) => body(item) === true).length === 1],
  ['filter', (list, body) => list.filter((item) => body(item) === true)],
  ['map', (list, body) => list.map(body)],
])

const QUANTITY = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i)?$/

/** Functions and methods alike: what a method is of is its first argument. */
const FUNCTIONS: ReadonlyMap<string, (...args: unknown[]) => unknown> = new Map<
  string,
  (...args: unknown[]) => unknown
>([
  ['string', String],
  ['int', Number],
  ['type', typeOf],
  ['size', (of) => (typeof of === 'string' ? Array.from(of).length : itemsOf(of).length)],
  ['sum', (of) => itemsOf(of).reduce((total: number, item) => total + number(item), 0)],
  ['matches', (of, pattern) => regularExpression(text(pattern)).test(text(of))],
  ['contains', (of, part) => text(of).includes(text(part))],
  ['startsWith', (of, part) => text(of).startsWith(text(part))],
  ['replace', (of, part, by) => text(of).replaceAll(text(part), () => text(by))],
  ['isQuantity', (of) => QUANTITY.test(text(of))],
  // Enough to be compared with 0.
  ['quantity', (of) => Number.parseFloat(text(of))],
  ['isGreaterThan', (a, b) => number(a) > number(b)],
])

/**
 * Reads an expression of the Common Expression Language, as much of it as the rules of our CRDs are written in
 * (https://kubernetes.io/docs/reference/using-api/cel/): an API server evaluates them, and where there is none this does. Throws CelError.
 */
export function compile(source: string): Evaluate {
  return new Parser(source).whole()
}

class Parser {
  readonly #source: string
  readonly #tokens: readonly string[]
  #at = 0

  constructor(source: string) {
    this.#source = source
    this.#tokens = tokensOf(source)
  }

  whole(): Evaluate {
    const { evaluate } = this.#choice()
    if (this.#at < this.#tokens.length) throw this.#unexpected()
    return evaluate
  }

  #choice(): Node {
    const condition = this.#binary(0)
    if (!this.#take('?')) return condition
    const yes = this.#choice()
    this.#expect(':')
    const no = this.#choice()
    return { evaluate: (scope) => (condition.evaluate(scope) === true ? yes : no).evaluate(scope) }
  }

  #binary(level: number): Node {
    const operators = OPERATORS[level]
    if (operators === undefined) return this.#unary()
    let left = this.#binary(level + 1)
    for (;;) {
      const operator = operators.get(this.#tokens[this.#at] ?? '')
      if (operator === undefined) return left
      this.#at += 1
      const [a, b] = [left, this.#binary(level + 1)]
      left = {
        evaluate: (scope) =>
          operator(
            () => a.evaluate(scope),
            () => b.evaluate(scope),
          ),
      }
    }
  }

  #unary(): Node {
    if (!this.#take('!')) return this.#member()
    const { evaluate } = this.#unary()
    return { evaluate: (scope) => evaluate(scope) !== true }
  }

  #member(): Node {
    let node = this.#primary()
    for (;;) {
      const of = node
      if (this.#take('.')) {
        const name = this.#next()
        node = this.#take('(') ? method(of, name, this.#list(')')) : selection(of, name)
      } else if (this.#take('[')) {
        const index = this.#choice()
        this.#expect(']')
        node = { evaluate: (scope) => at(of.evaluate(scope), index.evaluate(scope)) }
      } else return node
    }
  }

  #primary(): Node {
    if (this.#take('(')) {
      const node = this.#choice()
      this.#expect(')')
      return node
    }
    if (this.#take('[')) {
      const items = this.#list(']')
      return { evaluate: (scope) => items.map((item) => item.evaluate(scope)) }
    }
    const token = this.#next()
    if (/^['"]/.test(token)) return { evaluate: () => token.slice(1, -1) }
    if (/^\d/.test(token)) return { evaluate: () => Number(token) }
    if (!/^\w/.test(token)) throw this.#unexpected(-1)
    return this.#take('(') ? call(token, this.#list(')')) : variable(token)
  }

  /** What stands between commas, up to and including `end`. */
  #list(end: string): Node[] {
    const nodes: Node[] = []
    while (!this.#take(end)) {
      if (nodes.length > 0) this.#expect(',')
      nodes.push(this.#choice())
    }
    return nodes
  }

  #next(): string {
    const token = this.#tokens[this.#at]
    if (token === undefined) throw this.#unexpected()
    this.#at += 1
    return token
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false
    this.#at += 1
    return true
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw this.#unexpected()
  }

  #unexpected(offset = 0): CelError {
    return new CelError(`${this.#tokens[this.#at + offset] ?? 'its end'} is not expected there: ${this.#source}`)
  }
}

function tokensOf(source: string): string[] {
  const token = new RegExp(TOKEN)
  const tokens: string[] = []
  while (token.lastIndex < source.length) {
    const from = token.lastIndex
    const [, found] = token.exec(source) ?? []
    if (found === undefined) throw new CelError(`cannot be read from ${source.slice(from)} on`)
    tokens.push(found)
  }
  return tokens
}

/** A name that stands for nothing is that of a type: `type(self) == int`. */
function variable(name: string): Node {
  if (name === 'true' || name === 'false') return { evaluate: () => name === 'true' }
  return { name, evaluate: (scope) => (name in scope ? scope[name] : name) }
}

function selection(of: Node, name: string): Node {
  return { field: { of, name }, evaluate: (scope) => at(of.evaluate(scope), name) }
}

function call(name: string, args: readonly Node[]): Node {
  const field = args[0]?.field
  if (name === 'has' && field !== undefined) {
    return { evaluate: (scope) => itemsOf(field.of.evaluate(scope)).includes(field.name) }
  }
  const apply = FUNCTIONS.get(name)
  if (apply === undefined) throw new CelError(`the function ${name} is not known here`)
  return { evaluate: (scope) => apply(...args.map((arg) => arg.evaluate(scope))) }
}

function method(of: Node, name: string, args: readonly Node[]): Node {
  const [{ name: item } = {}, body] = args
  const macro = MACROS.get(name)
  if (macro === undefined || item === undefined || body === undefined) return call(name, [of, ...args])
  return {
    evaluate: (scope) => macro(itemsOf(of.evaluate(scope)), (value) => body.evaluate({ ...scope, [item]: value })),
  }
}

/** Of a map: its keys. */
function itemsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  if (typeof value === 'object' && value !== null) return Object.keys(value)
  throw new CelError(`neither a list nor a map: ${String(value)}`)
}

function at(of: unknown, key: unknown): unknown {
  const value = (of as Record<string, unknown>)[String(key)]
  if (value === undefined) throw new CelError(`there is no ${String(key)}`)
  return value
}

function sum(a: unknown, b: unknown): unknown {
  if (Array.isArray(a)) return [...(a as unknown[]), ...itemsOf(b)]
  return typeof a === 'string' ? a + text(b) : number(a) + number(b)
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new CelError(`no text: ${String(value)}`)
  return value
}

function number(value: unknown): number {
  if (typeof value !== 'number') throw new CelError(`no number: ${String(value)}`)
  return value
}

function typeOf(value: unknown): string {
  return typeof value === 'number' ? 'int' : typeof value
}

/** RE2 has names for classes of characters; what else our rules use of it is the same here. */
function regularExpression(pattern: string): RegExp {
  return new RegExp(pattern.replaceAll('[:cntrl:]', String.raw`\x00-\x1f\x7f`), 'u')
}
