import { franzGo } from '../setup/setup.ts'
import { clientSuite } from './client-suite.ts'
import { reportOf } from './external.ts'

clientSuite('franz-go', ['go'], async (plan) => reportOf(await franzGo(), [], plan))
