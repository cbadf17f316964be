/** The whole program into a cluster that fails and cuts connections, killed on the way: each event is there once. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { auditLog, uids } from '../../kit/audit-lines.ts'
import type { Fault } from '../../kit/bulk-server.ts'
import { preparedServer } from './kit.ts'

const root = join(import.meta.dirname, '../../..')
const EVENTS = 6000

function start(
  config: string,
  stateDir: string,
  ...flags: string[]
): { child: ChildProcess; ended: Promise<number | null> } {
  const args = ['run', '--config', config, '--state-dir', stateDir, ...flags]
  const child = spawn(join(root, 'bin/weir'), args, { stdio: 'ignore' })
  return { child, ended: new Promise((resolve) => child.once('close', resolve)) }
}

test('killed three times on the way into a cluster that fails, every event is stored exactly once', {
  timeout: 120_000,
}, async () => {
  const server = await preparedServer()
  const directory = mkdtempSync(join(tmpdir(), 'weir-es-'))
  const stateDir = join(directory, 'state')
  const config = join(directory, 'config.yaml')
  writeFileSync(join(directory, 'audit.log'), auditLog(0, EVENTS))
  writeFileSync(
    config,
    `receivers: {k8s_audit: {include: ['${directory}/audit.log'], start_at: beginning}}
exporters:
  elasticsearch:
    endpoint: ${server.url}
    retry_on_failure: {initial_interval: 20ms, max_interval: 50ms}
    sending_queue: {batch: {min_size: 50, max_size: 50}}
service: {telemetry: {metrics: {level: none}}, pipelines: {logs: {receivers: [k8s_audit], exporters: [elasticsearch]}}}
`,
  )
  const busy: Fault = { kind: 'items', answer: (i) => (i % 5 === 0 ? { status: 429 } : undefined) }
  const storm: Fault[] = [{ kind: 'reset', stored: true }, busy, { kind: 'status', status: 503 }, busy]
  try {
    for (const goal of [500, 1500, 3000]) {
      server.faults.push(...storm, ...storm)
      const { child, ended } = start(config, stateDir)
      while (server.documents.length < goal) await sleep(2)
      child.kill('SIGKILL')
      await ended
      assert(server.documents.length < EVENTS, 'the kill came on the way')
    }
    server.faults.push(...storm)
    assert.equal(await start(config, stateDir, '--drain').ended, 0)
    assert.deepEqual(server.documents.map(({ source }) => source.event.id).toSorted(), uids(0, EVENTS).toSorted())
    assert.deepEqual(new Set(server.refusals.map(({ type }) => type)), new Set(['version_conflict_engine_exception']))
  } finally {
    await server.close()
    rmSync(directory, { recursive: true, force: true })
  }
})
