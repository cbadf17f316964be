/**
 * Writes numbered lines to several files at a steady rate and rotates them, as a process of its own, so that nothing
 * that the test does slows it. It rotates from the first SIGUSR1 on. On SIGTERM it writes what it did (a `Ledger`) and
 * ends.
 *
 *   node rotating-writer.ts '{"dir": …}'
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { auditLine } from './audit-lines.ts'

export interface WriterOptions {
  readonly dir: string
  readonly ledger: string
  /** Files, by the name they have while they grow; `audit-*` hold audit events, others lines of text. */
  readonly files: readonly string[]
  readonly rotation: 'rename' | 'copytruncate'
  /** Of all files together. */
  readonly linesPerSecond: number
  readonly rotateEveryMs: number
  /** Rotated files that are kept of each file: far more than can be born while nobody looks. */
  readonly backups: number
}

/** One truncation, and the lines that stood in the file: [first, last]. */
export interface Truncation {
  readonly file: string
  readonly at: number
  readonly lines: readonly [number, number]
}

export interface Ledger {
  /** Lines written, by file: numbered from 0. */
  readonly written: Record<string, number>
  readonly rotations: number
  readonly truncations: readonly Truncation[]
  /** By file: when each hundredth line or so was written, as [first number, milliseconds]. */
  readonly times: Record<string, [number, number][]>
}

const TICK_MS = 20

/** `name:number`, which stands in a text line's body and in an audit event's id. */
export function lineId(file: string, number: number): string {
  return `${file}:${number}`
}

/** The line without its newline. */
export function textOf(file: string, number: number): string {
  const id = lineId(file, number)
  return file.startsWith('audit-') ? auditLine(id) : `${id} ${'some words of a log line '.repeat(1 + (number % 5))}`
}

interface Growing {
  readonly name: string
  readonly path: string
  fd: number
  next: number
  firstOfGeneration: number
  /** Half of a line that was written; the rest follows. */
  rest: string
  rotateAt: number
}

function write(options: WriterOptions): void {
  const { dir, files, linesPerSecond, rotateEveryMs, rotation } = options
  const truncations: Truncation[] = []
  const times: Ledger['times'] = {}
  let rotations = 0
  let isRotating = false
  const growing = files.map((name, i): Growing => {
    times[name] = []
    const path = join(dir, name)
    const rotateAt = Date.now() + rotateEveryMs * (1 + i / files.length)
    return { name, path, fd: openSync(path, 'a'), next: 0, firstOfGeneration: 0, rest: '', rotateAt }
  })

  const rename = (file: Growing): void => {
    closeSync(file.fd)
    rmSync(`${file.path}.${options.backups}`, { force: true })
    for (let i = options.backups - 1; i > 0; i--) {
      if (existsSync(`${file.path}.${i}`)) renameSync(`${file.path}.${i}`, `${file.path}.${i + 1}`)
    }
    renameSync(file.path, `${file.path}.1`)
    file.fd = openSync(file.path, 'a')
  }
  const copyAndTruncate = (file: Growing): void => {
    // One copy, kept elsewhere: what it holds is lost to whoever reads the file alone.
    copyFileSync(file.path, join(dir, 'copies', file.name))
    ftruncateSync(file.fd)
    truncations.push({ file: file.name, at: Date.now(), lines: [file.firstOfGeneration, file.next - 1] })
  }
  const rotate = (file: Growing): void => {
    if (file.rest !== '') writeSync(file.fd, file.rest)
    file.rest = ''
    if (rotation === 'rename') rename(file)
    else copyAndTruncate(file)
    file.firstOfGeneration = file.next
    file.rotateAt = Date.now() + rotateEveryMs * (0.7 + Math.random() * 0.6)
    rotations += 1
  }
  const grow = (file: Growing, count: number, now: number): void => {
    let text = file.rest
    times[file.name]?.push([file.next, now])
    for (let i = 0; i < count; i++) text += `${textOf(file.name, file.next++)}\n`
    // Writers flush buffers, not lines: now and then half a line is there for a while.
    const cut = Math.random() < 0.3 ? text.length - 1 - Math.floor(Math.random() * 60) : text.length
    writeSync(file.fd, text.slice(0, cut))
    file.rest = text.slice(cut)
  }

  const startedAt = Date.now()
  let total = 0
  const timer = setInterval(() => {
    const now = Date.now()
    const due = Math.floor(((now - startedAt) * linesPerSecond) / 1000) - total
    const each = Math.floor(due / growing.length)
    for (const file of growing) {
      if (each > 0) grow(file, each, now)
      if (isRotating && now >= file.rotateAt) rotate(file)
    }
    total += each * growing.length
  }, TICK_MS)

  process.once('SIGUSR1', () => {
    isRotating = true
  })
  process.once('SIGTERM', () => {
    clearInterval(timer)
    for (const { fd, rest } of growing) {
      if (rest !== '') writeSync(fd, rest)
      fsyncSync(fd)
      closeSync(fd)
    }
    const written = Object.fromEntries(growing.map(({ name, next }) => [name, next]))
    const ledger: Ledger = { written, rotations, truncations, times }
    writeFileSync(options.ledger, JSON.stringify(ledger))
    process.disconnect?.()
  })
  // Whoever started this is gone: nobody will ask for the end.
  process.once('disconnect', () => process.exit())
}

if (import.meta.main) write(JSON.parse(process.argv[2] ?? '') as WriterOptions)
