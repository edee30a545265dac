import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from '../../tools/cache.ts'
import { run } from '../../tools/run.ts'
import { KUBE } from './layout.ts'

const VERSION = '1.5.1'
const FILE = 'tlsroutes.yaml'

/** The CRD of TLSRoutes in the channel `standard` of the Gateway API, from the Go module proxy; resolves with its path. */
export async function tlsRouteCrd(): Promise<string> {
  const directory = await cached(join(KUBE, `gateway-api-${VERSION}`), async (target) => {
    mkdirSync(target, { recursive: true })
    const module = `sigs.k8s.io/gateway-api@v${VERSION}`
    const { stdout } = await run('go', ['mod', 'download', '-json', module], { cwd: target, timeoutMs: 300_000 })
    const { Dir } = JSON.parse(stdout) as { Dir: string }
    copyFileSync(join(Dir, 'config/crd/standard/gateway.networking.k8s.io_tlsroutes.yaml'), join(target, FILE))
  })
  return join(directory, FILE)
}
