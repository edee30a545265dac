import type { LogDirectory } from './log-directory.ts'
import type { PartitionLog } from './log.ts'
import { logDirectoryName } from './names.ts'

/** `future`: a copy that is to take the place of a log in another log dir. */
export type LogKind = 'log' | 'future'

/** All logs of a broker that are open, by name and by log dir; one log and one copy a name. */
export class LogRegistry {
  readonly #byName: Record<LogKind, Map<string, PartitionLog>> = { log: new Map(), future: new Map() }
  readonly #byDirectory = new Map<LogDirectory, Set<PartitionLog>>()
  /** Logs of other topics that have, or had, the name of one. */
  readonly #namesakes: { readonly kind: LogKind; readonly log: PartitionLog }[] = []

  get(topic: string, partition: number, kind: LogKind = 'log'): PartitionLog | undefined {
    return this.#byName[kind].get(logDirectoryName(topic, partition))
  }

  list(kind: LogKind): PartitionLog[] {
    return [...this.#byName[kind].values()]
  }

  /** Of both kinds, namesakes included. */
  all(): PartitionLog[] {
    return [...this.list('log'), ...this.list('future'), ...this.#namesakes.map(({ log }) => log)]
  }

  /** Of both kinds, namesakes included. */
  in(directory: LogDirectory): PartitionLog[] {
    return [...(this.#byDirectory.get(directory) ?? [])]
  }

  /** Where there is one of that name already, it gets the name when that one is forgotten. */
  add(directory: LogDirectory, kind: LogKind, log: PartitionLog): void {
    const name = nameOf(log)
    if (this.#byName[kind].has(name)) this.#namesakes.push({ kind, log })
    else this.#byName[kind].set(name, log)
    let logs = this.#byDirectory.get(directory)
    if (logs === undefined) this.#byDirectory.set(directory, (logs = new Set()))
    logs.add(log)
  }

  forget(directory: LogDirectory, log: PartitionLog): void {
    const name = nameOf(log)
    for (const logs of Object.values(this.#byName)) if (logs.get(name) === log) logs.delete(name)
    this.#byDirectory.get(directory)?.delete(log)
    this.#nameNext(name, log)
  }

  #nameNext(name: string, forgotten: PartitionLog): void {
    const left = this.#namesakes.filter((each) => each.log !== forgotten)
    this.#namesakes.length = 0
    for (const each of left) {
      const logs = this.#byName[each.kind]
      if (nameOf(each.log) === name && !logs.has(name)) logs.set(name, each.log)
      else this.#namesakes.push(each)
    }
  }
}

function nameOf({ topic, partition }: PartitionLog): string {
  return logDirectoryName(topic, partition)
}

/** As far as both know of which topic they are. */
export function isSameTopic(log: PartitionLog, other: PartitionLog): boolean {
  return log.topicId === null || other.topicId === null || log.topicId === other.topicId
}

/** The one of which a power loss has left not even the topic's id, as nothing of it was ever synced; or has less; but what one has of an epoch that the other lacks came after a cut. The first where both have the same. */
export function olderOf(log: PartitionLog, other: PartitionLog): PartitionLog {
  if ((log.topicId === null) !== (other.topicId === null)) return log.topicId === null ? log : other
  const epochs = other.leaderEpochs.latestEpoch - log.leaderEpochs.latestEpoch
  const isOlder = epochs === 0 ? other.logEndOffset < log.logEndOffset : epochs < 0
  return isOlder ? other : log
}
