/**
 * The text of a server.properties: one `key=value` a line in the format of java.util.Properties, sorted by key. Every character that means
 * something in that format is escaped, so that no value can end its line or begin another key.
 */
export function formatProperties(properties: ReadonlyMap<string, string>): string {
  return [...properties]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${escape(key, true)}=${escape(value, false)}\n`)
    .join('')
}

const NAMED: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\f': '\\f', '\\': '\\\\' }

function escape(text: string, isKey: boolean): string {
  let out = ''
  for (let index = 0; index < text.length; index++) out += escapeUnit(text[index] ?? '', isKey, index === 0)
  return out
}

function escapeUnit(unit: string, isKey: boolean, first: boolean): string {
  const named = NAMED[unit]
  if (named !== undefined) return named
  if (unit === ' ') return isKey || first ? '\\ ' : ' '
  if (unit === '#' || unit === '!' || unit === '=' || unit === ':') return isKey || first ? `\\${unit}` : unit
  const code = unit.charCodeAt(0)
  if (code < 0x20 || code > 0x7e) return `\\u${code.toString(16).padStart(4, '0')}`
  return unit
}
