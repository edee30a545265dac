import { clientSuite } from './client-suite.ts'
import { kafkajsReport } from './kafkajs-client.ts'

clientSuite('kafkajs', [], kafkajsReport)
