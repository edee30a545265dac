import { SourceMap } from 'node:module'
import { fs } from './builtins.ts'

/** A position in a bundle, as stack traces tell it. */
const POSITION = /(file:\/\/[^()\s]+\.js):(\d+):(\d+)/

/** A call site, as far as it is told of. */
interface Line {
  toString(): string
}

/**
 * From here on stack traces tell of the sources where a file has a map beside it. A map is read when the first error out of its file is
 * told of: `--enable-source-maps` reads them all at the start, which takes 80 ms and 26 MB.
 */
export function mapStackTraces(): void {
  const maps = new Map<string, SourceMap | undefined>()
  const mapOf = (url: string): SourceMap | undefined => {
    if (!maps.has(url)) maps.set(url, readMap(url))
    return maps.get(url)
  }
  const mapped = (site: string): string =>
    site.replace(POSITION, (position, url: string, line: string, column: string) => {
      const origin = mapOf(url)?.findOrigin(Number(line), Number(column))
      if (origin === undefined || !('fileName' in origin)) return position
      return `${new URL(origin.fileName, url).href}:${origin.lineNumber}:${origin.columnNumber}`
    })
  Error.prepareStackTrace = (error, sites: readonly Line[]) =>
    [String(error), ...sites.map((site) => mapped(`    at ${site.toString()}`))].join('\n')
}

function readMap(url: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(fs.readFileSync(new URL(`${url}.map`), 'utf8')))
  } catch {
    // Told as it is.
    return undefined
  }
}
