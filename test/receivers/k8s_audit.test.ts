import assert from 'node:assert/strict'
import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { auditLines } from '../../bench/audit/generate.ts'
import { k8sAudit } from '../../receivers/k8s_audit.ts'
import { DELIVERED, type Outcome } from '../../src/flow/ack.ts'
import { Budget } from '../../src/flow/budget.ts'
import { Intake } from '../../src/flow/intake.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { memoryStore } from '../../src/storage/store.ts'
import { event } from '../audit/events.ts'
import { type TestContext, testContext } from '../kit/context.ts'
import { receiverContract } from '../kit/contract.ts'

const EVERYTHING = {
  stages: ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'],
  default_ignores: false,
}
const uid = ({ attributes }: LogRecord): string => String(attributes['log.record.uid'])

async function folder(): Promise<{ path: string; [Symbol.asyncDispose](): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'weir-k8s-audit-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

interface Running {
  readonly records: LogRecord[]
  readonly context: TestContext
  readonly done: Promise<void>
  stop(): Promise<void>
}

function start(
  config: object,
  context: TestContext = testContext(),
  judge: (count: number) => Outcome = () => DELIVERED,
): Running {
  const receiver = k8sAudit.create(
    k8sAudit.config.parse({ start_at: 'beginning', poll_interval: '10ms', ...EVERYTHING, ...config }),
    context,
  )
  const intake = new Intake(new Budget(1 << 22))
  const controller = new AbortController()
  const records: LogRecord[] = []
  let batches = 0
  intake.batches$.subscribe((batch) => {
    const outcome = judge((batches += 1))
    if (outcome.kind === 'delivered') records.push(...batch.records)
    queueMicrotask(() => batch.ack.settle(outcome))
  })
  const done = receiver.run(intake, controller.signal)
  const stop = async (): Promise<void> => {
    controller.abort(new Error('test is over'))
    await done.catch(() => {})
  }
  return { records, context, done, stop }
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 10_000; !condition(); await sleep(5)) assert(Date.now() < end, 'timed out')
}

receiverContract(k8sAudit, {
  async source() {
    const path = await mkdtemp(join(tmpdir(), 'weir-k8s-audit-'))
    const log = join(path, 'audit.log')
    await writeFile(log, '')
    let made = 0
    return {
      config: { include: [log], start_at: 'beginning', poll_interval: '10ms' },
      async produce(count) {
        const ids = Array.from({ length: count }, () => `id-${(made += 1)}`)
        await appendFile(log, ids.map((auditID) => `${JSON.stringify(event({ auditID }))}\n`).join(''))
        return ids
      },
      close: () => rm(path, { recursive: true }),
    }
  },
  idOf: ({ attributes }) => String(attributes['k8s.audit.id']),
})

suite('an audit log on disk', () => {
  test('is read to its end and the run ends when draining', async () => {
    await using dir = await folder()
    const lines = [...auditLines({ events: 2500, seed: 2, attack: true })]
    await writeFile(join(dir.path, 'audit.log'), `${lines.join('\n')}\n`)
    const running = start({ include: [join(dir.path, 'audit.log')] }, testContext({ drain: true }))
    await running.done
    const expected = lines.map((line) => JSON.parse(line)).map(({ auditID, stage }) => `${auditID}/${stage}`)
    assert.deepEqual(running.records.map(uid), expected)
    assert.deepEqual(running.context.letters, [])
    assert.deepEqual(running.context.lostBy, {})
  })

  test('is followed across the rotation of kube-apiserver, which renames it', async () => {
    await using dir = await folder()
    const log = join(dir.path, 'audit.log')
    await writeFile(log, '')
    const running = start({ include: [log] })
    const ids: string[] = []
    for (let turn = 0; turn < 5; turn++) {
      for (let i = 0; i < 40; i++) {
        const auditID = `turn-${turn}-${i}`
        ids.push(`${auditID}/ResponseComplete`)
        await appendFile(log, `${JSON.stringify(event({ auditID }))}\n`)
      }
      await until(() => turn > 0 || running.records.length > 0) // The first file is known before it goes.
      await rename(log, join(dir.path, `audit-2026-01-02T03-04-0${turn}.000.log`))
      await writeFile(log, '')
      await until(() => running.records.length === ids.length)
    }
    await running.stop()
    assert.deepEqual(running.records.map(uid).sort(), ids.sort())
  })

  test('goes on after a restart where it was acknowledged', async () => {
    await using dir = await folder()
    const log = join(dir.path, 'audit.log')
    const store = memoryStore().namespace('k8s_audit')
    const lines = [...auditLines({ events: 600, seed: 6 })]
    await writeFile(log, `${lines.slice(0, 300).join('\n')}\n`)
    const first = start({ include: [log] }, testContext({ store }))
    await until(() => first.records.length === 300)
    await first.stop()
    await appendFile(log, `${lines.slice(300).join('\n')}\n`)
    const second = start({ include: [log] }, testContext({ store }))
    await until(() => second.records.length >= 300)
    await second.stop()
    assert.equal(new Set([...first.records, ...second.records].map(uid)).size, 600)
    assert.equal(second.records.length, 300)
  })

  test('comes again when its journey failed', async () => {
    await using dir = await folder()
    const log = join(dir.path, 'audit.log')
    await writeFile(log, `${[...auditLines({ events: 50, seed: 6 })].join('\n')}\n`)
    const failOnce = (count: number): Outcome =>
      count === 1 ? { kind: 'failed', error: new Error('not now') } : DELIVERED
    const running = start({ include: [log] }, testContext(), failOnce)
    await until(() => running.records.length === 50)
    await running.stop()
  })

  test('may hold lists, empty lines and lines that are no events, which are kept aside without their secrets', async () => {
    await using dir = await folder()
    const log = join(dir.path, 'audit.log')
    const planted = 'c3VwZXItc2VjcmV0'
    const good = JSON.stringify(event())
    const torn = `{"kind":"Event","requestObject":{"data":{"password":"${planted}`
    const list = {
      kind: 'EventList',
      apiVersion: 'audit.k8s.io/v1',
      items: [event({ auditID: 'a' }), { verb: 'get' }, event({ auditID: 'b' })],
    }
    await writeFile(
      log,
      [good, '', torn, JSON.stringify(list), `{"kind":"Secret","data":{"a":"${planted}"}}`, good, ''].join('\n'),
    )
    const running = start({ include: [log] }, testContext({ drain: true }))
    await running.done
    assert.equal(running.records.length, 4)
    const { letters } = running.context
    assert.deepEqual(
      letters.map(({ reason }) => reason),
      ['malformed', 'malformed', 'malformed'],
    )
    assert.deepEqual(
      letters.map(({ source }) => source),
      [
        `${log}:${good.length + 2}`,
        `${log}:${good.length + torn.length + 3} item 1`,
        `${log}:${good.length + torn.length + JSON.stringify(list).length + 4}`,
      ],
    )
    assert.doesNotMatch(JSON.stringify(letters), new RegExp(planted))
  })

  test('with nothing but noise is counted and acknowledged', async () => {
    await using dir = await folder()
    const log = join(dir.path, 'audit.log')
    const noise = event({ verb: 'get', requestURI: '/livez', objectRef: undefined })
    await writeFile(
      log,
      `${[noise, event({ stage: 'RequestReceived' }), event({ level: 'Request' })].map((value) => JSON.stringify(value)).join('\n')}\n`,
    )
    const options = { default_ignores: true, stages: ['ResponseComplete'], levels: ['Metadata'] }
    const running = start({ include: [log], ...options }, testContext({ drain: true }))
    await running.done
    assert.deepEqual(running.records, [])
    assert.deepEqual(running.context.filteredBy, { ignored: 1, stage: 1, level: 1 })
  })

  test('gives its path on request, and its cluster', async () => {
    await using dir = await folder()
    const log = join(dir.path, 'audit.log')
    await writeFile(log, `${JSON.stringify(event())}\n`)
    const running = start(
      { include: [log], include_file_path: true, cluster_name: 'prod' },
      testContext({ drain: true }),
    )
    await running.done
    assert.equal(running.records[0]?.attributes['log.file.path'], log)
    assert.equal(running.records[0]?.resource.attributes['k8s.cluster.name'], 'prod')
  })
})

test('mistakes in the configuration are named', () => {
  const messages = (config: object): string =>
    k8sAudit.config.safeParse({ include: ['a'], ...config }).error?.message ?? ''
  assert.match(messages({ stages: ['Later'] }), /RequestReceived/)
  assert.match(messages({ ignore: [{}] }), /would ignore everything/)
  assert.match(messages({ ignore: [{ user: ['x'] }] }), /user/)
  assert.match(messages({ max_log_size: '5' }), /1KiB to 64MiB/)
})
