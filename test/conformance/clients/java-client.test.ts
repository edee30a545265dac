import { startJavaTools } from '../../tools/java-tool.ts'
import { clientSuite } from './client-suite.ts'
import type { Report } from './workload.ts'

clientSuite('java', ['java', 'mvn'], async (plan) => {
  const java = await startJavaTools()
  try {
    const report: Report = JSON.parse(await java.output('Workload', [], JSON.stringify(plan)))
    return report
  } finally {
    java.close()
  }
})
