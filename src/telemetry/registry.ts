/**
 * Counters and gauges, kept as plain numbers and written out in Prometheus's text format.
 *
 * Everything is counted per batch, never per record, so a lookup by label text is cheap enough.
 * Labels may stem from configuration and code only, never from events; a cap guards against a mistake there.
 */
import { METRICS, type MetricName, type MetricSpec } from './metrics.ts'

export type Labels = Readonly<Record<string, string>>

interface Series {
  readonly labels: Labels
  value: number
}

const MAX_SERIES = 2000

export class MetricRegistry {
  readonly #target: string

  /** `resource` describes the program; it is exposed as `target_info`, as OpenTelemetry's Prometheus readers do. */
  constructor(resource: Readonly<Record<string, string | number | boolean>> = {}) {
    const labels = Object.entries(resource).map(([key, value]) => [key.replace(/[^a-zA-Z0-9_]/g, '_'), String(value)])
    const text = labelText(Object.fromEntries(labels) as Labels)
    this.#target =
      text === '' ? '' : `# HELP target_info Target metadata\n# TYPE target_info gauge\ntarget_info${text} 1\n`
  }

  readonly #series = new Map<MetricName, Map<string, Series>>()
  readonly #collectors = new Set<() => void>()

  add(name: MetricName, value: number, labels: Labels = {}): void {
    const series = this.#find(name, labels)
    if (series !== undefined) series.value += value
  }

  set(name: MetricName, value: number, labels: Labels = {}): void {
    const series = this.#find(name, labels)
    if (series !== undefined) series.value = value
  }

  /** Sum over all series of a metric whose labels contain `where`. */
  sum(name: MetricName, where: Labels = {}): number {
    let total = 0
    for (const { labels, value } of this.list(name)) {
      if (contains(labels, where)) total += value
    }
    return total
  }

  list(name: MetricName): readonly Readonly<Series>[] {
    return [...(this.#series.get(name)?.values() ?? [])]
  }

  /**
   * Removes the gauges of a component that is gone, so that a reload does not leave them standing.
   * Counters stay: they tell what has happened since the start.
   */
  forgetGauges(where: Labels): void {
    for (const [name, series] of this.#series) {
      if (METRICS[name].kind !== 'gauge') continue
      for (const [key, { labels }] of series) if (contains(labels, where)) series.delete(key)
    }
  }

  /** Runs before each exposition: for gauges that are cheaper to read than to keep. Returns its removal. */
  onCollect(collector: () => void): () => void {
    this.#collectors.add(collector)
    return () => this.#collectors.delete(collector)
  }

  /** Prometheus text exposition format 0.0.4. */
  expose(): string {
    for (const collect of this.#collectors) collect()
    const out: string[] = []
    for (const [name, series] of [...this.#series].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (series.size === 0) continue
      const { help, kind }: MetricSpec = METRICS[name]
      out.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`)
      for (const { labels, value } of series.values()) out.push(`${name}${labelText(labels)} ${value}`)
    }
    return `${this.#target}${out.join('\n')}\n`
  }

  #find(name: MetricName, labels: Labels): Series | undefined {
    if (!(name in METRICS)) throw new Error(`metric ${name} is not declared in telemetry/metrics.ts`)
    let all = this.#series.get(name)
    if (all === undefined) {
      all = new Map()
      this.#series.set(name, all)
    }
    const key = labelText(labels)
    let series = all.get(key)
    if (series === undefined) {
      if (all.size >= MAX_SERIES) return undefined
      series = { labels, value: 0 }
      all.set(key, series)
    }
    return series
  }
}

function contains(labels: Labels, where: Labels): boolean {
  return Object.entries(where).every(([key, wanted]) => labels[key] === wanted)
}

function labelText(labels: Labels): string {
  let text = ''
  for (const key in labels) text += `${text === '' ? '' : ','}${key}="${escapeLabel(labels[key] as string)}"`
  return text === '' ? '' : `{${text}}`
}

function escapeLabel(value: string): string {
  return /["\\\n]/.test(value) ? value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n') : value
}
