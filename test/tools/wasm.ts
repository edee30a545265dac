/** `npm run generate:wasm`: writes `broker/host/lz4-block.ts` from `lz4-block.wat`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import wabt from 'wabt'

export const LZ4_BLOCK = resolve(import.meta.dirname, '../../broker/host/lz4-block')

/** The TypeScript source of a module that has the WebAssembly module `source` in it. */
export async function wasmSource(path: string): Promise<string> {
  const module = (await wabt()).parseWat(path, readFileSync(`${path}.wat`, 'utf8'))
  const { buffer } = module.toBinary({})
  module.destroy()
  const lines =
    Buffer.from(buffer)
      .toString('base64')
      .match(/.{1,100}/g) ?? []
  return `// Generated from lz4-block.wat by "npm run generate:wasm": do not edit.\nexport const LZ4_BLOCK = Buffer.from(\n  ${lines.map((line) => `'${line}'`).join(' +\n    ')},\n  'base64',\n)\n`
}

if (import.meta.main) writeFileSync(`${LZ4_BLOCK}.ts`, await wasmSource(LZ4_BLOCK))
