import { APIS } from '../../broker/protocol/apis.ts'
import * as consumerProtocol from '../../broker/protocol/messages/consumer-protocol.ts'
import * as defaultPrincipal from '../../broker/protocol/messages/default-principal.ts'
import * as header from '../../broker/protocol/messages/header.ts'
import { METADATA_RECORDS } from '../../broker/protocol/metadata-record.ts'
import * as control from '../../broker/protocol/records/control.ts'
import * as groupClassic from '../../broker/protocol/records/group-classic.ts'
import * as groupConsumer from '../../broker/protocol/records/group-consumer.ts'
import * as groupShare from '../../broker/protocol/records/group-share.ts'
import * as groupStreams from '../../broker/protocol/records/group-streams.ts'
import * as quorumState from '../../broker/protocol/records/quorum-state.ts'
import * as shareState from '../../broker/protocol/records/share-state.ts'
import * as storage from '../../broker/protocol/records/storage.ts'
import * as transactionLog from '../../broker/protocol/records/transaction-log.ts'
import { Message } from '../../broker/schema/message.ts'

/** A message whose type the test does not know. */
export type AnyMessage = Message<Record<string, unknown>, Record<string, unknown>>

const DECLARATIONS: readonly object[] = [
  ...Object.values(APIS),
  header,
  consumerProtocol,
  defaultPrincipal,
  control,
  METADATA_RECORDS,
  groupClassic,
  groupConsumer,
  groupShare,
  groupStreams,
  transactionLog,
  shareState,
  quorumState,
  storage,
]

/** Every request, response, header, embedded protocol and record that is declared. */
export const ALL_MESSAGES: readonly AnyMessage[] = DECLARATIONS.flatMap((holder) =>
  Object.values(holder).filter((value): value is AnyMessage => value instanceof Message),
)

export function versionsOf({ versions }: AnyMessage): number[] {
  return Array.from({ length: versions.max - versions.min + 1 }, (_, i) => versions.min + i)
}
