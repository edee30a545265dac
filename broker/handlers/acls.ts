import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { Failure } from './forwarded-apis.ts'
import { type Handler, handler } from './handler.ts'

/** In the words that Apache Kafka has for each. */
const NOTHING_TO_DESCRIBE = disabled('No Authorizer is configured on the broker')
const NOTHING_TO_CHANGE = disabled('No Authorizer is configured.')

/**
 * DescribeAcls (29), CreateAcls (30) and DeleteAcls (31), v1 to v3: as in an Apache Kafka without an authorizer. Who looks after
 * ACLs where there are some (MirrorMaker, consoles) takes SECURITY_DISABLED for an answer, and an API that is not there for a failure.
 */
export function aclHandlers(): Handler<ApiKey>[] {
  return [
    handler(ApiKey.DescribeAcls, () => ({ ...NOTHING_TO_DESCRIBE, resources: [] })),
    handler(ApiKey.CreateAcls, ({ creations }) => ({ results: creations.map(() => NOTHING_TO_CHANGE) })),
    handler(ApiKey.DeleteAcls, ({ filters }) => ({
      filterResults: filters.map(() => ({ ...NOTHING_TO_CHANGE, matchingAcls: [] })),
    })),
  ]
}

function disabled(errorMessage: string): Failure {
  return { errorCode: ErrorCode.SECURITY_DISABLED, errorMessage }
}
