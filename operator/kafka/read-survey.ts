import type { AdminClient } from '../../broker/client/admin-client.ts'
import { listGroups } from '../../broker/client/admin-groups.ts'
import { describeQuorum } from '../../broker/client/admin-quorum.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'
import { ApiKey } from '../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../broker/protocol/errors.ts'
import type { GroupState } from './group-state.ts'
import { oneBroker } from './one-broker.ts'
import { readGroups } from './read-groups.ts'
import type { KafkaState } from './state.ts'
import type { LogDirState, Survey } from './survey.ts'

/**
 * Three small requests a broker, and the consumer groups where there are any: only then `look` is called, which is the dear part. A broker that
 * does not answer is asked for nothing twice. Rejects with KafkaError where nobody answers.
 */
export async function readSurvey(client: AdminClient, look: () => Promise<KafkaState>): Promise<Survey> {
  const { brokers } = await client.describeCluster()
  const ids = brokers.map(({ id }) => id).sort((a, b) => a - b)
  const [dirs, leaders, groups] = await Promise.all([
    Promise.all(ids.map((id) => orNull(readLogDirs(client, id)))),
    Promise.all(ids.map((id) => orNull(describeQuorum(oneBroker(client, id))))),
    orNull(groupsOf(client, ids, look)),
  ])
  const active = leaders.flatMap((quorum) => (quorum === null || quorum.leaderId < 0 ? [] : [quorum.leaderId]))
  return {
    logDirs: dirs.flatMap((some) => some ?? []),
    activeControllers: [...new Set(active)].sort((a, b) => a - b),
    silent: ids.filter((_, index) => dirs[index] === null || leaders[index] === null),
    groups,
  }
}

/** Of no replica: there may be tens of thousands, and the directories are told all the same. */
function readLogDirs(client: AdminClient, broker: number): Promise<LogDirState[]> {
  return oneBroker(client, broker).run(async (ask) => {
    const answer = await ask(ApiKey.DescribeLogDirs, { topics: [] })
    if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode)
    return answer.results.map(({ errorCode, logDir: path, totalBytes, usableBytes }) => ({
      broker,
      path,
      isOnline: errorCode === ErrorCode.NONE,
      space: totalBytes <= 0n ? null : { totalBytes: Number(totalBytes), usableBytes: Number(usableBytes) },
    }))
  })
}

async function groupsOf(
  client: AdminClient,
  brokers: readonly number[],
  look: () => Promise<KafkaState>,
): Promise<readonly GroupState[]> {
  const listed = await Promise.all(brokers.map((id) => listGroups(client, id)))
  return listed.every((some) => some.length === 0) ? [] : readGroups(client, await look())
}

function orNull<T>(promise: Promise<T>): Promise<T | null> {
  return promise.catch(() => null)
}
