import type { AdminClient, Ask } from '../../broker/client/admin-client.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'

/** Runs operations of several requests, as AdminClient does. */
export type Runner = Pick<AdminClient, 'run'>

/** A broker that does not answer: another one may. */
export class SilentBroker extends KafkaError {}

/** What a connection fails with. */
const SILENCE: ReadonlySet<string> = new Set(['NETWORK_EXCEPTION', 'REQUEST_TIMED_OUT', 'BROKER_NOT_AVAILABLE'])

/** Asks the broker `brokerId` and no other. An operation rejects with SilentBroker as soon as that does not answer. */
export function oneBroker(client: Runner, brokerId: number): Runner {
  return {
    run: (operation) =>
      client.run((ask) => {
        const askIt: Ask = (key, body) => ask(key, body, brokerId).catch(rethrow)
        return operation(askIt)
      }),
  }
}

function rethrow(error: unknown): never {
  if (!(error instanceof KafkaError) || !SILENCE.has(error.code)) throw error
  throw new SilentBroker(error.code, error.message, { isRetriable: false, cause: error })
}
