/** Runs a follower on real files and collects what it hands on. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../../src/component.ts'
import { follow } from '../../src/files/follow.ts'
import type { FollowOptions } from '../../src/files/options.ts'
import type { Page, TakePage } from '../../src/files/page.ts'
import { DELIVERED } from '../../src/flow/ack.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { type TestContext, testContext } from '../kit/context.ts'

export const DEFAULTS: FollowOptions = {
  include: [],
  exclude: [],
  startAt: 'beginning',
  pollMs: 20,
  excludeOlderThanMs: 0,
  fingerprintBytes: 1000,
  maxOpenFiles: 1024,
  encoding: 'utf-8',
  compression: '',
  maxLineBytes: 1024 * 1024,
  onLongLine: 'split',
  forceFlushMs: 500,
  onTruncate: 'read_whole_file',
}

export interface Following {
  readonly lines: string[]
  readonly pages: Page[]
  readonly ids: Set<string>
  readonly warnings: string[]
  readonly context: TestContext
  /** Waits until so many lines came, and a little longer in case there are more. */
  until(count: number, settleMs?: number): Promise<void>
  stop(): Promise<void>
  readonly done: Promise<void>
}

export function startFollowing(
  options: Partial<FollowOptions>,
  overrides: Partial<Context> = {},
  take?: (page: Page, deliver: () => void) => ReturnType<TakePage>,
): Following {
  const lines: string[] = []
  const pages: Page[] = []
  const ids = new Set<string>()
  const warnings: string[] = []
  const log = createLogger({
    level: 'warn',
    encoding: 'json',
    repeatMs: 0,
    write: (line) => void warnings.push((JSON.parse(line) as { msg: string }).msg),
  })
  const context = testContext({ log, ...overrides })
  const controller = new AbortController()
  const collect: TakePage = async (page) => {
    const deliver = (): void => {
      pages.push(page)
      ids.add(page.file.id)
      lines.push(...page.lines)
    }
    if (take !== undefined) return take(page, deliver)
    deliver()
    return { outcome: Promise.resolve(DELIVERED) }
  }
  const done = follow({ ...DEFAULTS, ...options }, context, collect, controller.signal)
  done.catch(() => {})
  return {
    lines,
    pages,
    ids,
    warnings,
    context,
    done,
    async until(count, settleMs = 60) {
      const deadline = Date.now() + 10_000
      while (lines.length < count && Date.now() < deadline) await sleep(5)
      await sleep(settleMs)
    },
    async stop() {
      controller.abort()
      await done
    },
  }
}

/** Reads everything that is there, once. */
export async function drainFiles(
  options: Partial<FollowOptions>,
  overrides: Partial<Context> = {},
): Promise<Following> {
  const following = startFollowing(options, { drain: true, ...overrides })
  await following.done
  return following
}

export function tempDir(): { readonly dir: string; readonly remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), 'weir-files-'))
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

/** `from` to `to - 1`, numbered, each with its newline. */
export function numbered(from: number, to: number, text = 'line'): string {
  let all = ''
  for (let i = from; i < to; i++) all += `${text} ${i}\n`
  return all
}

export function expected(from: number, to: number, text = 'line'): string[] {
  return Array.from({ length: to - from }, (_, i) => `${text} ${from + i}`)
}
