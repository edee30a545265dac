import type { ClusterDetail, ClusterSummary, PartitionRow } from '../model.ts'
import { byId, el, fill } from './dom.ts'
import {
  clusterList,
  groupsPage,
  heading,
  linkTo,
  overviewPage,
  PAGES,
  partitionsPage,
  rolloutPage,
  topicsPage,
} from './views.ts'
import type { Page, Place } from './views.ts'

/** What the stream has told, by its events. */
const known: {
  clusters: readonly ClusterSummary[]
  cluster: ClusterDetail | null | undefined
  partitions: readonly PartitionRow[]
} = {
  clusters: [],
  cluster: undefined,
  partitions: [],
}
let place: Place = { cluster: null, page: 'overview', topic: null }
let filter = ''
let stream: EventSource | undefined

/** Where the address says to be: `#/namespace/name/page/topic`. */
function placeOf(hash: string): Place {
  const [namespace, name, page, topic] = hash.replace(/^#\//, '').split('/').map(decodeURIComponent)
  if (namespace === undefined || name === undefined) return { cluster: null, page: 'overview', topic: null }
  const found = PAGES.find((candidate) => candidate === page) ?? 'overview'
  return { cluster: `${namespace}/${name}`, page: found, topic: topic ?? null }
}

function go(): void {
  const before = place
  place = placeOf(location.hash)
  if (place.page !== before.page || place.cluster !== before.cluster) filter = ''
  if (place.cluster !== before.cluster) known.cluster = undefined
  if (place.topic !== before.topic) known.partitions = []
  document.title = place.cluster === null ? 'Ottla' : `${place.cluster} · Ottla`
  if (stream === undefined || place.cluster !== before.cluster || place.topic !== before.topic) open()
  draw()
}

function open(): void {
  stream?.close()
  const query = new URLSearchParams()
  if (place.cluster !== null) query.set('cluster', place.cluster)
  if (place.topic !== null) query.set('topic', place.topic)
  const opened = new EventSource(`events?${query}`)
  stream = opened
  opened.addEventListener('open', () => say('live'))
  opened.addEventListener('error', () => say('The operator does not answer; trying again.'))
  listen<readonly ClusterSummary[]>(opened, 'clusters', (clusters) => {
    known.clusters = clusters
    if (place.cluster === null && clusters[0] !== undefined) {
      location.replace(linkTo({ cluster: clusters[0].key, page: 'overview', topic: null }))
    }
  })
  listen<ClusterDetail | null>(opened, 'cluster', (cluster) => {
    known.cluster = cluster
  })
  listen<readonly PartitionRow[]>(opened, 'partitions', (rows) => {
    known.partitions = rows
  })
  listen<{ message: string }>(opened, 'trouble', ({ message }) => say(message))
  listen(opened, 'recovered', () => say('live'))
}

function listen<T>(from: EventSource, event: string, take: (message: T) => void): void {
  from.addEventListener(event, ({ data }: MessageEvent<string>) => {
    take(JSON.parse(data) as T)
    draw()
  })
}

function say(words: string): void {
  const connection = byId('connection')
  if (connection.textContent === words) return
  connection.textContent = words
  connection.className = words === 'live' ? 'live' : 'lost'
}

function draw(): void {
  fill(byId('clusters'), ...clusterList(known.clusters, place.cluster))
  fill(byId('content'), ...content())
}

function content(): HTMLElement[] {
  if (place.cluster === null) return [el('p', { class: 'empty' }, 'Choose a cluster.')]
  if (known.cluster === null) return [el('p', { class: 'empty' }, `There is no KafkaCluster ${place.cluster}.`)]
  if (known.cluster === undefined) return [el('p', { class: 'empty' }, `Asking ${place.cluster} …`)]
  return [heading(known.cluster, place), ...pageOf(known.cluster)]
}

function pageOf(cluster: ClusterDetail): HTMLElement[] {
  if (place.page === 'overview') return overviewPage(cluster)
  if (place.page === 'rollout') return rolloutPage(cluster)
  if (place.page === 'groups') return [filterBox('groups'), groupsPage(cluster, filter)]
  if (place.topic !== null) return [partitionsPage(place.topic, known.partitions)]
  return [filterBox('topics'), topicsPage(cluster, filter)]
}

function filterBox(what: string): HTMLElement {
  const input = el('input', {
    type: 'search',
    'data-key': 'filter',
    placeholder: `Filter ${what}`,
    'aria-label': `Filter ${what}`,
  })
  if (!(input instanceof HTMLInputElement)) throw new Error('an input is expected')
  input.value = filter
  input.addEventListener('input', () => {
    filter = input.value
    draw()
  })
  return input
}

function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === 'Escape') return back()
  if (document.activeElement instanceof HTMLInputElement) return
  const chosen: Page | undefined = PAGES[Number(event.key) - 1]
  if (chosen !== undefined && place.cluster !== null)
    location.hash = linkTo({ cluster: place.cluster, page: chosen, topic: null })
  if (event.key !== '/') return
  const box = document.querySelector('[data-key=filter]')
  if (!(box instanceof HTMLInputElement)) return
  event.preventDefault()
  box.focus()
}

/** From a topic to all topics, or what the filter left of them; then to all without a filter. */
function back(): void {
  if (place.topic !== null) {
    location.hash = linkTo({ ...place, topic: null })
    return
  }
  filter = ''
  if (document.activeElement instanceof HTMLInputElement) document.activeElement.blur()
  draw()
}

addEventListener('hashchange', go)
addEventListener('keydown', onKey)
go()
