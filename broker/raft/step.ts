import {
  answerVote,
  backoffMs,
  becomeFollower,
  becomeProspective,
  becomeUnattached,
  countVote,
  electionTimeoutMs,
  enterEpoch,
  giveUp,
  lossDelayMs,
} from './election.ts'
import { advance, lead, logDurable, replicaFetched, resign } from './leadership.ts'
import {
  isSameReplica,
  leaderRole,
  mayStand,
  type Moment,
  NOBODY,
  type RaftEvent,
  type RaftState,
  type Step,
  unchanged,
} from './state.ts'

type EventOf<T extends RaftEvent['type']> = Extract<RaftEvent, { type: T }>

/**
 * What an event makes of the state, and what is to be done about it, in this order. No clock, disk or socket. KIP-595, KIP-853 and
 * KIP-996. What must outlive a crash comes first of all: an epoch, a vote and a leader count once they are written.
 */
export function step(state: RaftState, event: RaftEvent, moment: Moment): Step {
  const next = handle(state, event, moment)
  const { epoch, leaderId, voted } = next.state
  if (epoch === state.epoch && leaderId === state.leaderId && voted === state.voted) return next
  return { ...next, effects: [{ type: 'persistQuorumState', epoch, leaderId, voted }, ...next.effects] }
}

function handle(state: RaftState, event: RaftEvent, moment: Moment): Step {
  if (state.role.name === 'stopped') return unchanged(state)
  switch (event.type) {
    case 'start':
      return start(state, moment)
    case 'tick':
      return tick(state, moment)
    case 'voteRequested':
      return answerVote(state, event, moment)
    case 'voteAnswered':
      return countVote(state, event, moment)
    case 'leaderHeard':
      return leaderHeard(state, event, moment)
    case 'leaderEnds':
      return leaderEnds(state, event, moment)
    case 'leaderLost':
      return leaderLost(state, event, moment)
    case 'fetched':
      return fetched(state, event, moment)
    case 'snapshotLoaded':
      return unchanged({ ...state, highWatermark: Math.max(state.highWatermark, event.endOffset) })
    default:
      return handleAsLeader(state, event, moment)
  }
}

function handleAsLeader(
  state: RaftState,
  event: EventOf<'replicaFetched' | 'logDurable' | 'epochStarted' | 'votersChanged' | 'resign' | 'stop'>,
  moment: Moment,
): Step {
  switch (event.type) {
    case 'replicaFetched':
      return replicaFetched(state, event, moment)
    case 'logDurable':
      return logDurable(state, event)
    case 'epochStarted': {
      const role = leaderRole(state)
      if (role === undefined || event.epoch !== state.epoch) return unchanged(state)
      return unchanged({ ...state, role: { ...role, epochStartOffset: event.offset } })
    }
    case 'votersChanged':
      return votersChanged(state, event, moment)
    case 'resign':
      return resign(state, moment)
    default: {
      const { epoch } = state
      const effects = state.role.name === 'leader' ? [{ type: 'leadershipLost' as const, epoch }] : []
      return { state: { ...state, role: { name: 'stopped' } }, effects }
    }
  }
}

/** The only voter need not wait for another leader to be heard of; others look soon whether there is one. */
function start(state: RaftState, moment: Moment): Step {
  const { role, voters, self } = state
  if (!mayStand(state) || role.name === 'leader' || role.name === 'stopped') return unchanged(state)
  if (voters.every((voter) => isSameReplica(voter, self))) return becomeProspective(state, moment)
  const deadlineMs = moment.nowMs + (role.name === 'follower' ? state.timeouts.fetchMs : backoffMs(state, moment))
  return unchanged({ ...state, role: { ...role, deadlineMs } })
}

function tick(state: RaftState, moment: Moment): Step {
  const { role } = state
  switch (role.name) {
    case 'leader':
      return lead(state, role, moment)
    case 'stopped':
      return unchanged(state)
    default:
      if (moment.nowMs < role.deadlineMs) return unchanged(state)
  }
  switch (role.name) {
    case 'prospective':
      return giveUp(state, moment)
    case 'resigned':
      return becomeUnattached(state, state.epoch + 1, moment.nowMs + backoffMs(state, moment))
    default:
      return becomeProspective(state, moment)
  }
}

/** The latest epoch counts, and one leader in it. */
function leaderHeard(
  state: RaftState,
  { epoch, leaderId, isLeaderItself }: EventOf<'leaderHeard'>,
  moment: Moment,
): Step {
  if (epoch < state.epoch) return unchanged(state)
  const isOther = leaderId !== NOBODY && leaderId !== state.self.id
  if (epoch > state.epoch) {
    return isOther ? becomeFollower(state, epoch, leaderId, moment) : enterEpoch(state, epoch, moment)
  }
  if (!isOther) return unchanged(state)
  if (state.leaderId === NOBODY) return becomeFollower(state, epoch, leaderId, moment)
  const isBack = isLeaderItself && state.leaderId === leaderId && state.role.name === 'prospective'
  return isBack ? becomeFollower(state, epoch, leaderId, moment) : unchanged(state)
}

/** The first successor stands for election at once, each other a little later than the one before it. */
function leaderEnds(before: RaftState, event: EventOf<'leaderEnds'>, moment: Moment): Step {
  const { state, effects } = leaderHeard(before, { ...event, type: 'leaderHeard', isLeaderItself: true }, moment)
  const { role, leaderId, self } = state
  if (role.name !== 'follower' || leaderId !== event.leaderId || event.epoch !== state.epoch || !mayStand(state)) {
    return { state, effects }
  }
  const rank = event.successors.findIndex((successor) => isSameReplica(successor, self))
  const delayMs = rank < 0 ? electionTimeoutMs(state, moment) : rank * backoffMs(state, { ...moment, jitter: 1 })
  return { state: { ...state, role: { ...role, hasFetched: false, deadlineMs: moment.nowMs + delayMs } }, effects }
}

function leaderLost(state: RaftState, { epoch }: EventOf<'leaderLost'>, moment: Moment): Step {
  const { role } = state
  if (role.name !== 'follower' || epoch !== state.epoch || !mayStand(state)) return unchanged(state)
  const deadlineMs = Math.min(role.deadlineMs, moment.nowMs + lossDelayMs(state, moment))
  return unchanged({ ...state, role: { ...role, hasFetched: false, deadlineMs } })
}

function fetched(state: RaftState, { epoch, highWatermark }: EventOf<'fetched'>, moment: Moment): Step {
  const { role, timeouts } = state
  if (role.name !== 'follower' || epoch !== state.epoch) return unchanged(state)
  const deadlineMs = mayStand(state) ? moment.nowMs + timeouts.fetchMs : Infinity
  const next = { ...state, role: { ...role, hasFetched: true, deadlineMs } }
  const committed = Math.min(highWatermark, moment.log.endOffset)
  if (committed <= state.highWatermark) return unchanged(next)
  return {
    state: { ...next, highWatermark: committed },
    effects: [{ type: 'advanceHighWatermark', offset: committed }],
  }
}

/** Voters count from the moment that they are in the log. A leader that is one no longer goes on until that is committed. */
function votersChanged(before: RaftState, event: EventOf<'votersChanged'>, moment: Moment): Step {
  const { voters, possibleVoters } = event
  const state = { ...before, voters, possibleVoters }
  const { role } = state
  if (role.name === 'leader') return advance(state, role)
  if (role.name === 'stopped' || mayStand(before) === mayStand(state)) return unchanged(state)
  if (!mayStand(state)) {
    if (role.name !== 'follower') return becomeUnattached(state, state.epoch, Infinity)
    return unchanged({ ...state, role: { ...role, deadlineMs: Infinity } })
  }
  const waitMs = role.name === 'follower' ? state.timeouts.fetchMs : electionTimeoutMs(state, moment)
  return unchanged({ ...state, role: { ...role, deadlineMs: moment.nowMs + waitMs } })
}
