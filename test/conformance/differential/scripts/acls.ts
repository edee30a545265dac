import { ApiKey } from '../../../../broker/protocol/api-key.ts'
import type { Script } from '../script.ts'

const TOPIC = 2
const LITERAL = 3
const READ = 3
const ALLOW = 3
const ANY = 1

const BINDING = { principal: 'User:a', host: '*', operation: READ, permissionType: ALLOW }

/** Of a cluster without an authorizer. */
export async function acls(script: Script): Promise<void> {
  const all = {
    resourceTypeFilter: ANY,
    resourceNameFilter: null,
    patternTypeFilter: ANY,
    principalFilter: null,
    hostFilter: null,
    operation: ANY,
    permissionType: ANY,
  }
  const creation = { ...BINDING, resourceType: TOPIC, resourceName: 't', resourcePatternType: LITERAL }
  await script.inEveryVersion('all', ApiKey.DescribeAcls, all)
  await script.inEveryVersion('two', ApiKey.CreateAcls, { creations: [creation, { ...creation, operation: ANY }] })
  await script.inEveryVersion('none', ApiKey.CreateAcls, { creations: [] })
  await script.inEveryVersion('two', ApiKey.DeleteAcls, { filters: [all, { ...all, resourceNameFilter: 't' }] })
  await script.inEveryVersion('none', ApiKey.DeleteAcls, { filters: [] })
}
