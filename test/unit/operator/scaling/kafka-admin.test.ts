import { expect, test } from '@jest/globals'
import { AdminClient } from '../../../../broker/client/admin-client.ts'
import { KafkaError } from '../../../../broker/client/kafka-error.ts'
import { KafkaScalingAdmin } from '../../../../operator/scaling/kafka-admin.ts'
import { FakeNetwork } from '../../client/fake-broker.ts'
import { operatorWorld } from '../../../fakes/operator.ts'

/** A cluster that answers to a change of configuration with an error, or with none. */
function answering(error: KafkaError | null): KafkaScalingAdmin {
  const client = new AdminClient({ bootstrap: [] }, { ...operatorWorld(), network: new FakeNetwork() })
  client.incrementalAlterConfigs = async () => new Map([['1', error]])
  return new KafkaScalingAdmin(client)
}

test('a broker is cordoned', async () => {
  expect(await answering(null).cordon(1, true)).toBe(true)
})

test('a metadata.version below 4.3-IV0 has no cordons, which is no failure', async () => {
  const message =
    'The cordoned.log.dirs configuration value cannot be set because it requires metadata.version >= 4.3-IV0'
  const error = new KafkaError('INVALID_CONFIG', message, { isRetriable: false })
  expect(await answering(error).cordon(1, true)).toBe(false)
})

test.each([
  ['goes to another broker', 'INVALID_REQUEST', 'Unexpected broker id, expected 2, but received 1'],
  ['finds settings that the broker cannot run with', 'INVALID_REQUEST', 'Invalid value 0 for num.io.threads'],
  ['is not allowed', 'CLUSTER_AUTHORIZATION_FAILED', 'Cluster authorization failed.'],
])('a request that %s is not taken for one that Kafka does not know', async (_, code, message) => {
  const error = new KafkaError(code, message, { isRetriable: false })
  await expect(answering(error).cordon(1, true)).rejects.toThrow(message)
})
