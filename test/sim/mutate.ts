/** A preload (`node --import`): plants the mutant whose name is in OTTLA_MUTANT into its file as that is loaded. */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { MUTANTS } from './mutants.ts'
import { planted } from './planted.ts'

const mutant = MUTANTS.find(({ name }) => name === process.env['OTTLA_MUTANT'])
if (mutant === undefined) throw new Error(`no such mutant: ${process.env['OTTLA_MUTANT']}`)

registerHooks({
  load(url, context, nextLoad) {
    if (!url.endsWith(`/${mutant.file}`)) return nextLoad(url, context)
    const source = planted(mutant, readFileSync(fileURLToPath(url), 'utf8'))
    return { ...nextLoad(url, context), source }
  },
})
