import type { Metrics } from './metrics.ts'

export interface RaftSample {
  /** `leader`, `follower`, `candidate`, `prospective`, `voted`, `unattached`, `observer` or `resigned`. */
  readonly state: string
  /** -1 where unknown. */
  readonly leaderId: number
  /** Whom this node voted for in this epoch; -1: nobody. */
  readonly votedId: number
  readonly epoch: number
  readonly highWatermark: number
  readonly logEndOffset: number
  readonly voters: number
  /** As the leader knows them; 0 elsewhere. */
  readonly observers: number
  /** Records a second, over the last minute, that this node appended as the leader. */
  readonly appendRate: number
  /** The same, that it fetched from the leader. */
  readonly fetchRate: number
  /** From the append to the commit, as the leader, over the last minute; NaN: nothing was committed. In ms. */
  readonly commitLatencyMs: { readonly average: number; readonly max: number }
  /** From when this node stood for election until there was a leader, over the last minute; NaN: it did not stand. In ms. */
  readonly electionLatencyMs: { readonly average: number; readonly max: number }
}

/** What went over this node's connections to other members of the quorum. */
export interface TrafficSample {
  readonly requests: number
  readonly responses: number
  readonly sentBytes: number
  readonly receivedBytes: number
}

export interface RaftGaugeSources {
  raft(): RaftSample
  raftTraffic(): TrafficSample
}

/** The metadata quorum, as Kafka's raft-metrics and raft-channel-metrics. */
export function registerRaftGauges(metrics: Metrics, sources: RaftGaugeSources): void {
  const prefix = 'kafka_server_raftmetrics'
  const gauge = (name: string, help: string, read: (raft: RaftSample) => number) => {
    metrics.registerGauge(`${prefix}_${name}`, help, () => read(sources.raft()))
  }
  // Kafka's value is a word: the exporters of its metrics make that a label.
  metrics.registerGauge(`${prefix}_current_state`, 'State of this node in the metadata quorum', () => [
    { value: 1, labels: { current_state: sources.raft().state } },
  ])
  gauge('current_leader', 'Id of the quorum leader, -1 where unknown', ({ leaderId }) => leaderId)
  gauge('current_vote', 'Id of whom this node voted for, -1: nobody', ({ votedId }) => votedId)
  gauge('current_epoch', 'Epoch of the metadata quorum', ({ epoch }) => epoch)
  gauge('high_watermark', 'Committed end of the metadata log', ({ highWatermark }) => highWatermark)
  gauge('log_end_offset', 'End of the metadata log', ({ logEndOffset }) => logEndOffset)
  gauge('number_of_voters', 'Voters of the metadata quorum', ({ voters }) => voters)
  gauge('number_of_observers', 'Observers of the metadata quorum, told by its leader', ({ observers }) => observers)
  gauge('append_records_rate', 'Records a second appended as the leader', ({ appendRate }) => appendRate)
  gauge('fetch_records_rate', 'Records a second fetched from the leader', ({ fetchRate }) => fetchRate)
  registerLatency(metrics, sources)
  const counter = (name: string, help: string, read: (traffic: TrafficSample) => number) => {
    const fullName = `kafka_server_raftchannelmetrics_${name}_total`
    metrics.registerCounter(fullName, help, () => read(sources.raftTraffic()))
  }
  counter('request', 'Requests sent to the quorum', ({ requests }) => requests)
  counter('response', 'Responses of the quorum', ({ responses }) => responses)
  counter('outgoing_byte', 'Bytes sent to the quorum', ({ sentBytes }) => sentBytes)
  counter('incoming_byte', 'Bytes of the responses of the quorum', ({ receivedBytes }) => receivedBytes)
}

/** A node that committed nothing, or did not stand for election, has no latency. */
function registerLatency(metrics: Metrics, sources: RaftGaugeSources): void {
  const gauge = (name: string, help: string, read: (raft: RaftSample) => number) => {
    metrics.registerGauge(`kafka_server_raftmetrics_${name}`, help, () => {
      const value = read(sources.raft())
      return Number.isNaN(value) ? [] : [{ value }]
    })
  }
  const commit = 'ms from append to commit as the leader'
  gauge('commit_latency_avg', `${commit}, on average`, ({ commitLatencyMs }) => commitLatencyMs.average)
  gauge('commit_latency_max', `${commit}, at most`, ({ commitLatencyMs }) => commitLatencyMs.max)
  const election = 'ms from standing for election until there was a leader'
  gauge('election_latency_avg', `${election}, on average`, ({ electionLatencyMs }) => electionLatencyMs.average)
  gauge('election_latency_max', `${election}, at most`, ({ electionLatencyMs }) => electionLatencyMs.max)
}
