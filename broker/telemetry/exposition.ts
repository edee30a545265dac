import type { Metric, Sample } from './registry.ts'

const UNSAFE = /[\\\n"]/

/** One metric in Prometheus' text format, and how many samples it has. */
export function exposition({ name, type, help, collect }: Metric): { readonly text: string; readonly samples: number } {
  let text = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
  const collected = collect()
  if (typeof collected === 'number') return { text: `${text}${name} ${valueOf(collected)}\n\n`, samples: 1 }
  let samples = 0
  for (const sample of collected) {
    samples++
    text += `${name}${labelsOf(sample)} ${valueOf(sample.value)}\n`
  }
  return { text: `${text}\n`, samples }
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
