import { stripTypeScriptTypes } from 'node:module'
import type { Disk } from '../../broker/env/disk.ts'

export interface Asset {
  readonly type: string
  readonly body: string
}

const PAGES = ['index.html', 'console.css', 'icon.svg', 'main.ts', 'dom.ts', 'views.ts', 'tables.ts'] as const
const TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  ts: 'text/javascript; charset=utf-8',
}

/** What the page is made of, by path; the scripts without their types, as browsers want them. Throws DiskError. */
export function loadAssets(disk: Disk, directory: string): Map<string, Asset> {
  return new Map(
    PAGES.map((name) => {
      const text = new TextDecoder().decode(disk.readFile(`${directory}/${name}`))
      const extension = name.slice(name.lastIndexOf('.') + 1)
      const body = extension === 'ts' ? stripTypeScriptTypes(text) : text
      return [name === 'index.html' ? '/' : `/${name}`, { type: TYPES[extension] ?? 'text/plain', body }]
    }),
  )
}
