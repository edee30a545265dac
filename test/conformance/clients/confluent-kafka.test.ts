import { join } from 'node:path'
import { pythonWithClient } from '../setup/setup.ts'
import { clientSuite } from './client-suite.ts'
import { reportOf } from './external.ts'

const WORKLOAD = join(import.meta.dirname, 'python', 'workload.py')

clientSuite('confluent-kafka', ['python3'], async (plan) => reportOf(await pythonWithClient(), [WORKLOAD], plan))
