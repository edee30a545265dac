// npm run conformance:setup: brings everything that the conformance tests use. What the machine lacks is told, not fatal: the
// tests say again what they skip. Safe to run again: what is there stays.
import { kafkaJars } from '../../tools/maven.ts'
import { monitoringPrograms } from '../../tools/prometheus.ts'
import { requires, type Tool } from '../../tools/requires.ts'
import { DEBIAN_TOOLS, franzGo, healthTool, installPackages, pythonWithClient } from './setup.ts'

async function bring(what: string, tools: readonly Tool[], body: () => Promise<unknown>): Promise<void> {
  if (!requires(what, ...tools)) return
  await body()
  process.stdout.write(`ready: ${what}\n`)
}

installPackages(DEBIAN_TOOLS)
await bring('kcat', ['kcat'], async () => undefined)
await bring('Chromium', ['chromium'], async () => undefined)
await bring('Apache Kafka', ['java', 'mvn'], kafkaJars)
await bring('confluent-kafka', ['python3'], pythonWithClient)
await bring('franz-go', ['go'], franzGo)
await bring('the health checks of GitOps tools', ['go'], healthTool)
await bring('Prometheus and Alertmanager', ['apt'], monitoringPrograms)
