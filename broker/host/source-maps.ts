import { fs } from './builtins.ts'
import { Mappings, type Origin } from './mappings.ts'

/** A position in a bundle, as stack traces tell it. */
const POSITION = /(file:\/\/[^()\s]+\.js):(\d+):(\d+)/

/** A call site, as far as it is told of. */
interface Line {
  toString(): string
}

/** A source map (ECMA-426), as far as we need it. */
interface SourceMap {
  readonly sources: readonly string[]
  readonly mappings: string
}

/** Null where there is no origin. Lines and columns count from 1. */
type FindOrigin = (line: number, column: number) => Origin | null

/**
 * From here on stack traces tell of the sources where a file has a map beside it. A map is read when the first error out of its file is
 * told of: `--enable-source-maps` reads them all at the start, which takes 80 ms and 26 MB. That error may be told of in the midst of a failover, by
 * every broker at the same time: Node's own SourceMap would keep each of them from its work for a tenth of a second.
 */
export function mapStackTraces(): void {
  const maps = new Map<string, FindOrigin>()
  const mapOf = (url: string): FindOrigin => {
    const map = maps.get(url) ?? readMap(url)
    maps.set(url, map)
    return map
  }
  const mapped = (site: string): string =>
    site.replace(POSITION, (position, url: string, line: string, column: string) => {
      const origin = mapOf(url)(Number(line), Number(column))
      return origin === null ? position : `${new URL(origin.source, url).href}:${origin.line}:${origin.column}`
    })
  Error.prepareStackTrace = (error, sites: readonly Line[]) =>
    [String(error), ...sites.map((site) => mapped(`    at ${site.toString()}`))].join('\n')
}

function readMap(url: string): FindOrigin {
  try {
    const { sources, mappings } = JSON.parse(fs.readFileSync(new URL(`${url}.map`), 'utf8')) as SourceMap
    const table = new Mappings(sources, mappings)
    return (line, column) => table.origin(line, column)
  } catch {
    // Told as it is.
    return () => null
  }
}
