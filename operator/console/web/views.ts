import type { ClusterDetail, ClusterSummary, GroupRow, PartitionRow, TopicRow } from '../model.ts'
import { el } from './dom.ts'
import { bad, format, table } from './tables.ts'

export const PAGES = ['overview', 'topics', 'groups', 'rollout'] as const
export type Page = (typeof PAGES)[number]

export interface Place {
  /** `namespace/name` */
  readonly cluster: string | null
  readonly page: Page
  readonly topic: string | null
}

export function linkTo({ cluster, page, topic }: Place): string {
  if (cluster === null) return '#/'
  return `#/${cluster}/${page}${topic === null ? '' : `/${encodeURIComponent(topic)}`}`
}

export function clusterList(clusters: readonly ClusterSummary[], current: string | null): HTMLElement[] {
  if (clusters.length === 0) return [el('p', { class: 'empty' }, 'There is no KafkaCluster yet.')]
  return clusters.map(({ key, name, namespace, ready, reason, nodes }) => {
    const place: Place = { cluster: key, page: 'overview', topic: null }
    const attributes = { href: linkTo(place), 'data-key': key, ...(key === current ? { 'aria-current': 'page' } : {}) }
    return el(
      'a',
      attributes,
      badge(ready, ''),
      el(
        'span',
        {},
        el('b', {}, name),
        el('small', {}, `${namespace} · ${nodes.ready}/${nodes.wanted} nodes · ${reason}`),
      ),
    )
  })
}

export function heading(cluster: ClusterDetail, place: Place): HTMLElement {
  const tabs = PAGES.map((page, index) => {
    const current = page === place.page ? { 'aria-current': 'page' } : {}
    const href = linkTo({ cluster: cluster.key, page, topic: null })
    return el('a', { href, 'data-key': page, ...current }, TITLES[page], el('kbd', {}, String(index + 1)))
  })
  return el(
    'div',
    { class: 'heading' },
    el('h1', {}, cluster.name, ' ', badge(cluster.ready, cluster.reason)),
    el('p', { class: cluster.ready === 'True' ? 'quiet' : '' }, cluster.message),
    el('nav', { class: 'tabs', 'aria-label': 'Pages' }, ...tabs),
    cluster.error !== null && el('p', { class: 'alarm', role: 'alert' }, `The brokers do not answer: ${cluster.error}`),
  )
}

const TITLES: Record<Page, string> = { overview: 'Overview', topics: 'Topics', groups: 'Groups', rollout: 'Rollout' }

export function overviewPage(cluster: ClusterDetail): HTMLElement[] {
  return [
    tilesOf(cluster),
    conditionsTable(cluster),
    poolsTable(cluster),
    brokersTable(cluster),
    quorumTable(cluster),
    listenersTable(cluster),
  ]
}

function tilesOf({ partitions, nodes, groups }: ClusterDetail): HTMLElement {
  const lag = groups.reduce((sum, group) => sum + group.lag, 0)
  return el(
    'dl',
    { class: 'tiles' },
    tile('Nodes ready', `${nodes.ready} of ${nodes.wanted}`, nodes.ready < nodes.wanted ? 'warn' : ''),
    tile('Partitions', format(partitions.total), ''),
    tile('Under-replicated', format(partitions.underReplicated), partitions.underReplicated > 0 ? 'warn' : ''),
    tile('Under min ISR', format(partitions.underMinIsr), partitions.underMinIsr > 0 ? 'bad' : ''),
    tile('Without a leader', format(partitions.offline), partitions.offline > 0 ? 'bad' : ''),
    tile('Group lag', format(lag), ''),
  )
}

function conditionsTable({ conditions }: ClusterDetail): HTMLElement {
  return table(
    'Conditions',
    [
      { title: 'Condition', cell: ({ type, status }) => badge(status, type) },
      { title: 'Reason', cell: ({ reason }) => reason },
      { title: 'Message', cell: ({ message }) => message },
      {
        title: 'Since',
        cell: ({ since }) => el('time', { datetime: since }, since.replace('T', ' ').replace('Z', ' UTC')),
      },
    ],
    conditions,
    'Nothing is known yet.',
  )
}

function poolsTable({ pools }: ClusterDetail): HTMLElement {
  return table(
    'Pools',
    [
      { title: 'Pool', cell: ({ name }) => name },
      { title: 'Roles', cell: ({ roles }) => roles.join(', ') },
      { title: 'Ready', isNumber: true, cell: ({ ready, wanted }) => `${ready} of ${wanted}` },
      { title: 'Node ids', cell: ({ nodeIds }) => nodeIds.join(', ') },
    ],
    pools,
    'No pools.',
  )
}

function brokersTable({ brokers }: ClusterDetail): HTMLElement {
  return table(
    'Brokers',
    [
      { title: 'Broker', cell: ({ id }) => String(id) },
      { title: 'Rack', cell: ({ rack }) => rack ?? '–' },
      { title: 'Leaders', isNumber: true, cell: ({ leaders }) => format(leaders) },
      { title: 'Replicas', isNumber: true, cell: ({ replicas }) => format(replicas) },
      { title: 'Not in sync', isNumber: true, cell: ({ behind }) => bad(behind, 'warn') },
    ],
    brokers,
    'No broker answers.',
  )
}

function quorumTable({ controllers }: ClusterDetail): HTMLElement {
  return table(
    'Quorum',
    [
      { title: 'Controller', cell: ({ id }) => String(id) },
      { title: 'Role', cell: ({ role }) => role },
      { title: 'Log end', isNumber: true, cell: ({ logEndOffset }) => format(logEndOffset) },
      {
        title: 'Behind',
        isNumber: true,
        cell: ({ lagMs }) => (lagMs === null ? 'never caught up' : `${format(lagMs)} ms`),
      },
    ],
    controllers,
    'No controller answers.',
  )
}

function listenersTable({ listeners }: ClusterDetail): HTMLElement {
  return table(
    'Listeners',
    [
      { title: 'Listener', cell: ({ name }) => name },
      { title: 'Bootstrap servers', cell: ({ bootstrapServers }) => el('code', {}, bootstrapServers) },
    ],
    listeners,
    'No listeners.',
  )
}

export function topicsPage(cluster: ClusterDetail, filter: string): HTMLElement {
  const rows = cluster.topics.filter(({ name }) => name.includes(filter))
  const link = ({ name }: TopicRow): Node =>
    el('a', { href: linkTo({ cluster: cluster.key, page: 'topics', topic: name }), 'data-key': `topic ${name}` }, name)
  return table(
    `Topics (${format(rows.length)})`,
    [
      { title: 'Topic', cell: link },
      { title: 'Partitions', isNumber: true, cell: ({ total }) => format(total) },
      { title: 'Replicas', isNumber: true, cell: ({ replicas }) => String(replicas) },
      { title: 'Min ISR', isNumber: true, cell: ({ minIsr }) => String(minIsr) },
      { title: 'Under-replicated', isNumber: true, cell: ({ underReplicated }) => bad(underReplicated, 'warn') },
      { title: 'Under min ISR', isNumber: true, cell: ({ underMinIsr }) => bad(underMinIsr, 'bad') },
      { title: 'No leader', isNumber: true, cell: ({ offline }) => bad(offline, 'bad') },
      { title: 'KafkaTopic', cell: ({ resource }) => resource ?? '–' },
    ],
    rows,
    filter === '' ? 'There are no topics.' : `No topic has “${filter}” in its name.`,
  )
}

export function partitionsPage(topic: string, rows: readonly PartitionRow[]): HTMLElement {
  const ids = (nodes: readonly number[]): string => nodes.join(', ')
  return table(
    `Partitions of ${topic}`,
    [
      { title: 'Partition', isNumber: true, cell: ({ partition }) => String(partition) },
      {
        title: 'Leader',
        isNumber: true,
        cell: ({ leader }) => (leader === null ? el('strong', { class: 'bad' }, 'none') : String(leader)),
      },
      { title: 'Replicas', cell: ({ replicas }) => ids(replicas) },
      {
        title: 'In sync',
        cell: ({ isr, replicas, minIsr }) =>
          isr.length < replicas.length
            ? el('strong', { class: isr.length < minIsr ? 'bad' : 'warn' }, ids(isr))
            : ids(isr),
      },
      {
        title: 'Moving',
        cell: ({ adding, removing }) => [...adding.map((id) => `+${id}`), ...removing.map((id) => `−${id}`)].join(' '),
      },
    ],
    rows,
    `There is no topic ${topic}.`,
  )
}

export function groupsPage(cluster: ClusterDetail, filter: string): HTMLElement {
  const rows = cluster.groups.filter(({ groupId }) => groupId.includes(filter))
  const perTopic = ({ topics: some }: GroupRow): string =>
    some.map(({ topic, lag }) => `${topic}: ${format(lag)}`).join(', ')
  return table(
    `Consumer groups (${format(rows.length)})`,
    [
      { title: 'Group', cell: ({ groupId }) => groupId },
      { title: 'State', cell: ({ state }) => state },
      { title: 'Members', isNumber: true, cell: ({ members }) => (members === null ? '–' : String(members)) },
      { title: 'Lag', isNumber: true, cell: ({ lag }) => format(lag) },
      { title: 'Lag by topic', cell: perTopic },
    ],
    rows,
    filter === '' ? 'There are no consumer groups.' : `No group has “${filter}” in its name.`,
  )
}

export function rolloutPage({ rollout: plan, reassignment }: ClusterDetail): HTMLElement[] {
  return [rolloutPlan(plan), reassignmentProgress(reassignment)]
}

function rolloutPlan(plan: ClusterDetail['rollout']): HTMLElement {
  if (plan === null) return el('p', { class: 'empty' }, 'No pod has to be restarted.')
  return el(
    'section',
    {},
    el('p', {}, 'State: ', el('b', {}, plan.state)),
    table(
      'Plan',
      [
        { title: 'Pod', cell: ({ pod }) => pod },
        { title: 'How', cell: ({ how }) => how },
        { title: 'Why', cell: ({ reasons }) => reasons.join('; ') },
      ],
      plan.plan,
      'No pod has to be restarted.',
    ),
    table(
      'Blocked by',
      [{ title: 'What stands against the next restart', cell: describeBlock }],
      plan.blockedBy,
      'Nothing stands against it.',
    ),
  )
}

function describeBlock(block: NonNullable<ClusterDetail['rollout']>['blockedBy'][number]): string {
  return Object.entries(block)
    .map(([key, value]) => `${key}: ${Array.isArray(value) ? value.join(', ') : String(value)}`)
    .join(' · ')
}

function reassignmentProgress(progress: ClusterDetail['reassignment']): HTMLElement {
  if (progress === null) return el('p', { class: 'empty' }, 'No partitions are being moved.')
  const rows = Object.entries(progress).map(([name, value]) => ({
    name,
    value: typeof value === 'number' ? format(value) : String(value),
  }))
  return table(
    'Reassignment',
    [
      { title: '', cell: ({ name }) => name },
      { title: '', cell: ({ value }) => value },
    ],
    rows,
    '',
  )
}

function tile(name: string, value: string, kind: string): HTMLElement {
  return el('div', kind === '' ? {} : { class: kind }, el('dt', {}, name), el('dd', {}, value))
}

const MARKS: Record<string, string> = { True: '✓', False: '!', Unknown: '?' }
const WORDS: Record<string, string> = { True: 'ready', False: 'not ready', Unknown: 'not known' }

/** Says it by sign and word, not by colour alone. */
function badge(status: string, text: string): HTMLElement {
  const mark = el('span', { 'aria-hidden': 'true' }, MARKS[status] ?? '?')
  const words = text === '' ? el('span', { class: 'hidden' }, WORDS[status] ?? status) : el('span', {}, ` ${text}`)
  return el('span', { class: `badge ${status.toLowerCase()}` }, mark, words)
}
