import { clientSuite } from './client-suite.ts'
import { platformaticReport } from './platformatic-client.ts'

clientSuite('platformatic', [], platformaticReport)
