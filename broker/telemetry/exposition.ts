import type { Metric, Sample } from './registry.ts'

const UNSAFE = /[\\\n"]/

/** One metric in Prometheus' text format, line by line: samples are asked for one at a time. */
export function* exposition({ name, type, help, collect }: Metric): Generator<string> {
  yield `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
  const collected = collect()
  if (typeof collected === 'number') yield `${name} ${valueOf(collected)}\n`
  else for (const sample of collected) yield `${name}${labelsOf(sample)} ${valueOf(sample.value)}\n`
  yield '\n'
}

function labelsOf({ labels }: Sample): string {
  if (labels === undefined) return ''
  let text = ''
  for (const label in labels) {
    const value = String(labels[label])
    text += `${text === '' ? '' : ','}${label}="${UNSAFE.test(value) ? escaped(value) : value}"`
  }
  return text === '' ? '' : `{${text}}`
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}

function valueOf(value: number): string {
  if (Number.isFinite(value)) return String(value)
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? '+Inf' : '-Inf'
}
