import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatProblem, type LoadResult } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { registry } from './registry.ts'

export interface Given {
  readonly files?: Readonly<Record<string, string>>
  /** Default: every file, in order. */
  readonly configs?: readonly string[]
  readonly sets?: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
}

export interface Loaded extends LoadResult {
  /** As a user sees them. */
  readonly said: readonly string[]
  readonly warned: readonly string[]
}

/** Loads files that exist for the time of the call, named relative to their directory. */
export function load({ files = {}, configs = Object.keys(files), sets = [], env = {} }: Given): Loaded {
  const cwd = mkdtempSync(join(tmpdir(), 'weir-config-'))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text)
    const result = loadConfig({ configs, sets, cwd }, registry, env)
    return { ...result, said: result.errors.map(formatProblem), warned: result.warnings.map(formatProblem) }
  } finally {
    rmSync(cwd, { recursive: true })
  }
}

/** A configuration that is valid, with more receivers, exporters and whatever else is given. */
export const VALID = `receivers:
  file_log:
    include: [/var/log/*.log]
exporters:
  stdout:
service:
  pipelines:
    logs:
      receivers: [file_log]
      exporters: [stdout]
`

/** Loads one file, `a.yaml`. */
export function loadText(text: string, more: Omit<Given, 'files'> = {}): Loaded {
  return load({ ...more, files: { 'a.yaml': text } })
}

/** Loads one value as `exporters::otlp_http`, beside what makes it valid; its first line is line 2 of `a.yaml`. */
export function loadExporter(text: string, more: Omit<Given, 'files'> = {}): Loaded {
  const indented = text.replaceAll(/^/gm, '    ')
  return loadText(
    `exporters:\n  otlp_http:\n${indented}\nreceivers: {push: {protocols: {grpc: }}}\nservice: {pipelines: {logs: {receivers: [push], exporters: [otlp_http]}}}\n`,
    more,
  )
}
