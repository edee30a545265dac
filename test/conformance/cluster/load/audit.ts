/** One record as it was acknowledged, or as it was read. */
export interface Entry {
  readonly partition: number
  readonly offset: number
  readonly producer: number
  /** Counts the producer's records of the partition from 0. */
  readonly sequence: number
}

/** `partition offset producer sequence`, as the load programs print it. */
export function entryOf(line: string): Entry {
  const [partition = -1, offset = -1, producer = -1, sequence = -1] = line.split(' ').map(Number)
  return { partition, offset, producer, sequence }
}

const PROBLEMS_MAX = 10

const placeOf = ({ partition, offset }: Entry): string => `partition ${partition} offset ${offset}`
const recordOf = ({ producer, sequence }: Entry): string => `record ${sequence} of producer ${producer}`

/**
 * What is wrong with `read`, the whole of a topic in order of offsets, after `acknowledged`: a record that was acknowledged and is not
 * where it was said to be; one that is there twice, or out of its producer's order; one that was never acknowledged. Producers must have
 * ended with all they had sent acknowledged. Empty where all is well.
 */
export function audit(acknowledged: readonly Entry[], read: readonly Entry[]): string[] {
  const byPlace = new Map(read.map((entry) => [placeOf(entry), entry]))
  const lost = acknowledged.flatMap((entry) => {
    const found = byPlace.get(placeOf(entry))
    if (found?.producer === entry.producer && found.sequence === entry.sequence) return []
    return [`${placeOf(entry)}: ${recordOf(entry)} was acknowledged, ${found ? recordOf(found) : 'nothing'} is there`]
  })
  const surplus =
    read.length > acknowledged.length ? [`${read.length} were read, ${acknowledged.length} acknowledged`] : []
  return [...lost, ...disorder(read), ...surplus].slice(0, PROBLEMS_MAX)
}

/** Where the records of one producer in one partition do not count 0, 1, 2 … */
function disorder(read: readonly Entry[]): string[] {
  const next = new Map<string, number>()
  return read.flatMap((entry) => {
    const key = `${entry.partition}/${entry.producer}`
    const wanted = next.get(key) ?? 0
    next.set(key, entry.sequence + 1)
    return entry.sequence === wanted ? [] : [`${placeOf(entry)}: ${recordOf(entry)} is where ${wanted} should be`]
  })
}
