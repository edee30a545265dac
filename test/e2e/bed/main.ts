// npm run kube:setup, kube:up, kube:down: see docs/development.md.
import { parseArgs } from 'node:util'
import { down, engine, up } from './kubernetes.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { wipe: { type: 'boolean', default: false } },
})
const began = performance.now()

function say(line: string): void {
  process.stdout.write(`[${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s] ${line}\n`)
}

const [command = ''] = positionals
if (command === 'setup') {
  await engine().setUp(say)
  say(`ready: ${engine().name}; npm run kube:up starts it`)
} else if (command === 'up') {
  if (!engine().isSetUp()) throw new Error('npm run kube:setup comes first; both need root where there is no kind')
  const { kubeconfig, kubectl, helm, images } = await up(Number(process.env['KUBE_NODES'] ?? 1))
  say(`up; image ${images.ottla}\nexport KUBECONFIG=${kubeconfig}\nalias kubectl=${kubectl} helm=${helm}`)
} else if (command === 'down') {
  await down(values.wipe)
  say('down')
} else {
  process.stderr.write('usage: node test/e2e/bed/main.ts setup | up | down [--wipe]\n')
  process.exitCode = 2
}
