// Jest transformer: Node's own type stripping, so that tests run exactly the code that production runs.
import { createHash } from 'node:crypto'
import { stripTypeScriptTypes } from 'node:module'

export default {
  process: (source) => ({ code: stripTypeScriptTypes(source, { mode: 'strip' }) }),
  getCacheKey: (source, path) => createHash('sha1').update(source).update(path).update(process.version).digest('hex'),
}
