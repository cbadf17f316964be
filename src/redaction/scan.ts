/** Finds and replaces secrets in one text. A text without any costs three short expressions. */
import { DETECTORS, type Detector, type DetectorName, SIEVES } from './detectors.ts'
import type { Masks } from './mask.ts'

export interface Scanner {
  /** False is certain: `detect` would change nothing. */
  isSuspicious(text: string): boolean
  /** The text with what the detectors find replaced. */
  detect(text: string): string
}

export interface ScannerOptions {
  readonly detectors: readonly DetectorName[]
  readonly masks: Masks
  /** Something found that matches one of these stays. */
  readonly allowed: readonly RegExp[]
  /** Hears what was replaced, by the name of the detector. */
  found(rule: string): void
}

type Replace = (text: string) => string

/** Detectors that share a first sieve: behind it each has one of its own. */
interface Group {
  /** No possible match of any of them is shorter. */
  readonly least: number
  readonly sieve: RegExp
  readonly replacers: readonly Replace[]
}

export function createScanner(options: ScannerOptions): Scanner {
  // Detectors run in the order of the table, not in that of the configuration.
  const wanted = new Set<string>(options.detectors)
  const active = Object.entries(DETECTORS as Record<string, Detector>).filter(([name]) => wanted.has(name))
  const groups = SIEVES.map((sieve) => active.filter(([, detector]) => detector.sieve === sieve))
    .filter((members) => members.length > 0)
    .map(
      (members): Group => ({
        least: Math.min(...members.map(([, { minLength }]) => minLength)),
        sieve: joinedSieve(members.map(([, detector]) => detector)),
        replacers: members.map(([name, detector]) => replacerOf(name, detector, options)),
      }),
    )

  return {
    isSuspicious(text) {
      for (let i = 0; i < groups.length; i++) {
        const { least, sieve } = groups[i] as Group
        if (text.length >= least && sieve.test(text)) return true
      }
      return false
    },
    detect(text) {
      let clean = text
      for (const { least, sieve, replacers } of groups) {
        if (clean.length < least || !sieve.test(clean)) continue
        for (const replace of replacers) clean = replace(clean)
      }
      return clean
    },
  }
}

function replacerOf(name: string, detector: Detector, { masks, allowed, found }: ScannerOptions): Replace {
  const replace = (secret: string): string | undefined => {
    if (isAnyMatching(allowed, secret)) return undefined
    found(name)
    return masks.mark(name, secret)
  }
  return (text) => (detector.needs.test(text) ? replaceFound(text, detector, replace) : text)
}

function joinedSieve(detectors: readonly Detector[]): RegExp {
  const characters = [...new Set(detectors.flatMap(({ signs = '' }) => [...signs]))].join('').replace('\\', '\\\\')
  const hints = detectors.flatMap(({ hints: own = [] }) => own)
  const all = new Set([...(characters === '' ? [] : [`[${characters}]`]), ...hints])
  return new RegExp([...all].join('|'))
}

export function isAnyMatching(patterns: readonly RegExp[], text: string): boolean {
  for (const pattern of patterns) if (pattern.test(text)) return true
  return false
}

function replaceFound(
  text: string,
  { pattern, isReal, isRun = false }: Detector,
  replace: (secret: string) => string | undefined,
): string {
  let out = ''
  let done = 0
  pattern.lastIndex = 0
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    if (isReal?.(match) === false) {
      if (!isRun) pattern.lastIndex = match.index + 1
      continue
    }
    const end = match.index + match[0].length
    const start = startOf(match, end)
    const replacement = replace(text.slice(start, end))
    if (replacement === undefined) continue
    out += text.slice(done, start) + replacement
    done = end
  }
  return done === 0 ? text : out + text.slice(done)
}

function startOf({ index, groups }: RegExpExecArray, end: number): number {
  const inner = groups?.['secret'] ?? groups?.['argument']
  return inner === undefined ? index + (groups?.['lead']?.length ?? 0) : end - inner.length
}
