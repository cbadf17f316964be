/** Numbered records, as lines of a file and as OTLP requests, for whoever counts what arrives. */
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Destination, Report } from './faulty-destination.ts'

/** The text of a record; `faulty-destination.ts` knows it by its number. */
export function numbered(number: number, padding = 60): string {
  return `seq-${number}- ${'x'.repeat(padding)}`
}

/** Appends `count` lines to a file over `ms`, from `first` on. */
export async function writeLines(
  path: string,
  { first = 0, count, ms, padding = 60 }: { first?: number; count: number; ms: number; padding?: number },
): Promise<void> {
  const steps = Math.max(1, Math.round(ms / 20))
  const startedAt = Date.now()
  for (let step = 0, done = 0; step < steps; step++) {
    const due = Math.round((count * (step + 1)) / steps)
    let text = ''
    for (; done < due; done++) text += `${numbered(first + done, padding)}\n`
    appendFileSync(path, text)
    await sleep(Math.max(0, startedAt + ((step + 1) * ms) / steps - Date.now()))
  }
}

/** An OTLP request in JSON with the records `first` to `first + count - 1`. */
export function numberedRequest(first: number, count: number, padding = 60): string {
  const logRecords = Array.from({ length: count }, (_, i) => ({
    timeUnixNano: String(1_780_000_000_000_000_000n + BigInt(first + i)),
    severityNumber: 9,
    body: { stringValue: numbered(first + i, padding) },
  }))
  return JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] })
}

/** Sends such requests one after the other to an OTLP/HTTP endpoint, each until it is taken. */
export async function sendNumbered(
  url: string,
  { count, perRequest = 100, padding = 60 }: { count: number; perRequest?: number; padding?: number },
): Promise<void> {
  for (let first = 0; first < count; first += perRequest) {
    const body = numberedRequest(first, Math.min(perRequest, count - first), padding)
    for (;;) {
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(url, { method: 'POST', headers, body }).catch(() => undefined)
      await response?.arrayBuffer().catch(() => {})
      if (response?.status === 200) break
      await sleep(100)
    }
  }
}

/** Waits until `count` records have arrived or were refused; gives up when nothing came for `patienceMs`. */
export async function arrivals(to: Destination, count: number, patienceMs = 15_000): Promise<Report> {
  for (let last = { total: -1, at: Date.now() }; ; await sleep(50)) {
    const report = await to.report()
    const total = report.arrived + report.refused
    if (total !== last.total) last = { total, at: Date.now() }
    if (total >= count || Date.now() - last.at > patienceMs) return report
  }
}
