const ESCAPES: Record<string, string> = { t: '\t', n: '\n', r: '\r', f: '\f' }

/**
 * Reads the syntax of java.util.Properties: `key=value`, `key: value` or `key value`, comments after # or !, lines continued by a
 * trailing backslash, the escapes \t \n \r \f and \uXXXX; any other escaped character stands for itself. A later line for the same
 * key wins. Throws a SyntaxError at a \u without four hex digits.
 */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>()
  for (const line of logicalLines(text)) {
    const end = keyEnd(line)
    const separator = /^[ \t\f]*[=:]?[ \t\f]*/.exec(line.slice(end))?.[0] ?? ''
    properties.set(unescape(line.slice(0, end)), unescape(line.slice(end + separator.length)))
  }
  return properties
}

/** Lines without comments and blank ones; a line that ends in an odd number of backslashes goes on in the next. */
function* logicalLines(text: string): Generator<string> {
  let pending = ''
  for (const natural of text.split(/\r\n|[\n\r]/)) {
    const line = natural.replace(/^[ \t\f]+/, '')
    if (pending === '' && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue
    const backslashes = /\\*$/.exec(line)?.[0].length ?? 0
    if (backslashes % 2 === 1) {
      pending += line.slice(0, -1)
      continue
    }
    yield pending + line
    pending = ''
  }
  if (pending !== '') yield pending
}

/** Where the key ends: at the first separator that is not escaped. */
function keyEnd(line: string): number {
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '\\') i++
    else if (/[=: \t\f]/.test(line[i] ?? '')) return i
  }
  return line.length
}

function unescape(text: string): string {
  return text.replaceAll(/\\(u[\s\S]{0,4}|[\s\S]?)/g, (_, code: string) => {
    if (!code.startsWith('u')) return ESCAPES[code] ?? code
    if (!/^u[0-9a-f]{4}$/i.test(code)) throw new SyntaxError(`Malformed \\${code}: four hex digits must follow \\u`)
    return String.fromCharCode(Number.parseInt(code.slice(1), 16))
  })
}
