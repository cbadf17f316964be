import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileLog } from '../../receivers/file_log/index.ts'
import type { Context } from '../../src/component.ts'
import { DELIVERED } from '../../src/flow/ack.ts'
import { Budget } from '../../src/flow/budget.ts'
import { Intake } from '../../src/flow/intake.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { hrTimeToRfc3339 } from '../../src/records/time.ts'
import { memoryStore } from '../../src/storage/store.ts'
import { type TestContext, testContext } from '../kit/context.ts'
import { FAILED } from '../kit/outcomes.ts'
import { receiverContract } from '../kit/receiver-contract.ts'

const root = mkdtempSync(join(tmpdir(), 'weir-file-log-'))
after(() => rmSync(root, { recursive: true, force: true }))
let made = 0
function fresh(name: string, content: string | Buffer = ''): string {
  const path = join(root, String((made += 1)), name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return path
}

interface Run {
  readonly records: LogRecord[]
  readonly context: TestContext
  until(count: number): Promise<void>
  stop(): Promise<void>
  readonly done: Promise<void>
}

type Judge = (records: readonly LogRecord[]) => typeof DELIVERED | Promise<typeof DELIVERED>

function start(config: Record<string, unknown>, overrides: Partial<Context> = {}, judge: Judge = () => DELIVERED): Run {
  const context = testContext(overrides)
  const receiver = fileLog.create(
    fileLog.config.parse({ start_at: 'beginning', poll_interval: '20ms', ...config }),
    context,
  )
  const intake = new Intake(new Budget(1 << 24))
  const records: LogRecord[] = []
  intake.batches$.subscribe(async (batch) => {
    const outcome = await judge(batch.records)
    if (outcome.kind === 'delivered') records.push(...batch.records)
    batch.ack.settle(outcome)
  })
  const controller = new AbortController()
  const done = receiver.run(intake, controller.signal)
  return {
    records,
    context,
    done,
    async until(count) {
      for (const end = Date.now() + 10_000; records.length < count && Date.now() < end; ) await sleep(5)
      await sleep(50)
    },
    async stop() {
      controller.abort()
      await done
    },
  }
}

async function drain(config: Record<string, unknown>, overrides: Partial<Context> = {}): Promise<Run> {
  const run = start(config, { drain: true, ...overrides })
  await run.done
  return run
}

const bodies = (run: Run): unknown[] => run.records.map((record) => record.body)
const pick = (run: Run, key: string): unknown[] => run.records.map((record) => record.attributes[key])

receiverContract(fileLog, {
  async source() {
    const path = fresh('app.log')
    let count = 0
    return {
      config: { include: [path], start_at: 'beginning', poll_interval: '10ms' },
      async produce(n) {
        const ids = Array.from({ length: n }, () => `event ${count++}`)
        appendFileSync(path, ids.map((id) => `${id}\n`).join(''))
        return ids
      },
      close: async () => {},
    }
  },
  idOf: (record) => String(record.body),
})

test('a line of text becomes a record with a severity, a time and an id made of file and offset', async () => {
  const path = fresh('app.log', 'first\n\n   \n  second  \nlast')
  const run = await drain({ include: [path], include_file_path: true, include_file_record_offset: true })
  assert.deepEqual(bodies(run), ['first', 'second', 'last'])
  assert.deepEqual(pick(run, 'log.file.name'), ['app.log', 'app.log', 'app.log'])
  assert.deepEqual(pick(run, 'log.file.path'), [path, path, path])
  assert.deepEqual(pick(run, 'log.file.record_offset'), [0, 11, 22])
  const uids = pick(run, 'log.record.uid') as string[]
  assert.deepEqual(
    uids.map((uid) => uid.split(':')[1]),
    ['0', '11', '22'],
  )
  for (const record of run.records) {
    assert.equal(record.eventName, 'log')
    assert.equal(record.severityNumber, 9)
    assert.equal(record.severityText, 'INFO')
    assert.ok(record.hrTime[0] > 1_700_000_000)
  }
})

test('a record keeps its id when it is sent again after a failure and after a restart', async () => {
  const path = fresh('app.log', 'one\ntwo\n')
  const store = memoryStore().namespace('f')
  const seen: string[] = []
  const first = start({ include: [path] }, { store }, (records) => {
    seen.push(...records.map((record) => String(record.attributes['log.record.uid'])))
    return FAILED as never
  })
  while (seen.length < 4) await sleep(10)
  await first.stop()
  const second = await drain({ include: [path] }, { store })
  assert.equal(new Set([...seen, ...pick(second, 'log.record.uid')]).size, 2)
})

test('white space is kept where it is asked for', async () => {
  const path = fresh('app.log', '  a  \n')
  const kept = async (keys: object) => bodies(await drain({ include: [path], ...keys }))[0]
  assert.equal(await kept({ preserve_leading_whitespaces: true }), '  a')
  assert.equal(await kept({ preserve_trailing_whitespaces: true }), 'a  ')
  assert.equal(await kept({ preserve_leading_whitespaces: true, preserve_trailing_whitespaces: true }), '  a  ')
})

test('attributes of links, owners and the configuration are set', async () => {
  const path = fresh('real.log', 'x\n')
  const link = join(dirname(path), 'link')
  symlinkSync(path, link)
  const run = await drain({
    include: [link],
    include_file_name_resolved: true,
    include_file_path_resolved: true,
    include_file_owner_name: true,
    include_file_owner_group_name: true,
    attributes: { team: 'shop', tier: 2 },
    resource: { 'service.name': 'shop' },
  })
  const [record] = run.records
  assert.equal(record?.attributes['log.file.name'], 'link')
  assert.equal(record?.attributes['log.file.name_resolved'], 'real.log')
  assert.equal(record?.attributes['log.file.path_resolved'], path)
  assert.equal(record?.attributes['log.file.owner.name'], userInfo().username)
  assert.equal(typeof record?.attributes['log.file.owner.group.name'], 'string')
  assert.equal(record?.attributes['team'], 'shop')
  assert.equal(record?.attributes['tier'], 2)
  assert.deepEqual(record?.resource.attributes, { 'service.name': 'shop' })
})

const multilines = [
  {
    name: 'a line that begins a record ends the one before',
    multiline: { line_start_pattern: '^\\d+ ' },
    text: '1 a\n  at x\n  at y\n2 b\n3 c\nd\n',
    bodies: ['1 a\n  at x\n  at y', '2 b', '3 c\nd'],
  },
  {
    name: 'what comes before the first beginning is a record',
    multiline: { line_start_pattern: 'START' },
    text: 'lost\nSTART a\nb\n',
    bodies: ['lost', 'START a\nb'],
  },
  {
    name: 'a line that ends a record',
    multiline: { line_end_pattern: ';$' },
    text: 'a\nb;\nc;\nd',
    bodies: ['a\nb;', 'c;', 'd'],
  },
  {
    name: 'the pattern is left out, and flags may be written as in Go',
    multiline: { line_start_pattern: '(?i)begin ', omit_pattern: true },
    text: 'BEGIN a\nb\nbegin c\n',
    bodies: ['a\nb', 'c'],
  },
] as const

for (const { name, multiline, text, bodies: expected } of multilines) {
  test(`multi-line: ${name}`, async () => {
    const run = await drain({ include: [fresh('app.log', text)], multiline })
    assert.deepEqual(bodies(run), expected)
  })
}

test('a multi-line record is joined across pages, and its checkpoint waits for its end', async () => {
  const path = fresh('app.log')
  const store = memoryStore().namespace('f')
  const config = { include: [path], multiline: { line_start_pattern: '^>' }, force_flush_period: '5s' }
  const first = start(config, { store })
  const filler = randomBytes(1000).toString('hex')
  for (let i = 0; i < 2500; i++) appendFileSync(path, `> record ${i}\n${filler}\n`) // Several mebibytes.
  await first.until(2499)
  appendFileSync(path, 'more\n')
  await sleep(400)
  assert.equal(first.records.length, 2499)
  await first.stop()
  appendFileSync(path, 'and more\n> next\n')
  const second = await drain(config, { store })
  const all = [...bodies(first), ...bodies(second)]
  assert.deepEqual(bodies(second), [`> record 2499\n${filler}\nmore\nand more`, '> next'])
  assert.ok(all.slice(0, 2499).every((body, i) => body === `> record ${i}\n${filler}`))
})

test('a multi-line record that is not continued is handed on after the flush period', async () => {
  const path = fresh('app.log', '> a\nb\n')
  const run = start({ include: [path], multiline: { line_start_pattern: '^>' }, force_flush_period: '200ms' })
  await run.until(1)
  assert.deepEqual(bodies(run), ['> a\nb'])
  appendFileSync(path, '> c\n')
  await run.until(2)
  await run.stop()
  assert.deepEqual(bodies(run), ['> a\nb', '> c'])
})

test('a multi-line record is no longer than max_log_size', async () => {
  const path = fresh('app.log', `> a\n${'x'.repeat(10)}\n${'y'.repeat(10)}\n> b\n`)
  const config = { include: [path], multiline: { line_start_pattern: '^>' }, max_log_size: 16 }
  assert.deepEqual(bodies(await drain(config)), ['> a\nxxxxxxxxxx', 'yyyyyyyyyy', '> b'])
  const truncated = await drain({ ...config, max_log_size_behavior: 'truncate' })
  assert.deepEqual(bodies(truncated), ['> a\nxxxxxxxxxx', '> b'])
  assert.equal(truncated.context.counts['weir_file_truncated_bytes'], 11)
})

test('a JSON line becomes attributes, with its time, severity and message in their places', async () => {
  const line = {
    time: '2026-01-02T03:04:05.123456789+01:00',
    level: 'Warning',
    msg: 'disk is nearly full',
    disk: { name: 'sda', free: { bytes: 12, ratio: 0.5 } },
    tags: ['a', 'b'],
    parts: [{ n: 1 }],
    nothing: null,
    'log.record.uid': 'forged',
    __proto__x: 1,
  }
  const path = fresh('app.json', `${JSON.stringify(line)}\n{"ts":1767323045.5,"level":50,"message":"x"}\n{"a":1}\n`)
  const run = await drain({ include: [path], format: 'json' })
  const [first, second, third] = run.records
  assert.equal(first?.body, 'disk is nearly full')
  assert.equal(hrTimeToRfc3339(first!.hrTime), '2026-01-02T02:04:05.123456789Z')
  assert.deepEqual([first?.severityNumber, first?.severityText], [13, 'Warning'])
  const { 'log.record.uid': uid, 'log.file.name': name, ...rest } = first!.attributes
  assert.match(String(uid), /:0$/)
  assert.equal(name, 'app.json')
  assert.deepEqual(rest, {
    'disk.name': 'sda',
    'disk.free.bytes': 12,
    'disk.free.ratio': 0.5,
    tags: ['a', 'b'],
    parts: '[{"n":1}]',
    __proto__x: 1,
  })
  assert.equal(hrTimeToRfc3339(second!.hrTime), '2026-01-02T03:04:05.500000000Z')
  assert.deepEqual([second?.severityNumber, second?.body], [17, 'x'])
  assert.deepEqual([third?.severityNumber, third?.body], [9, '{"a":1}'])
})

test('the parts of a JSON line are looked for where the configuration says', async () => {
  const path = fresh('a.json', '{"at":"2026-01-01T00:00:00Z","event":{"text":"hi","grade":"CRIT"}}\n')
  const json = { time: 'at', severity: ['event.grade'], message: 'event.text' }
  const [record] = (await drain({ include: [path], format: 'json', json })).records
  assert.deepEqual([record?.body, record?.severityNumber, record?.hrTime], ['hi', 18, [1_767_225_600, 0]])
})

test('a JSON line cannot make more attributes than are bounded, nor harm', async () => {
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, i]))
  const deep = `${'{"a":'.repeat(50)}1${'}'.repeat(50)}`
  const proto = '{"__proto__":["x"],"a":{"__proto__":{"b":1}},"big":1e999,"lone":"\\ud800"}'
  const path = fresh('a.json', `${JSON.stringify(many)}\n${deep}\n${proto}\n`)
  const [first, second, third] = (await drain({ include: [path], format: 'json' })).records
  assert.equal(Object.keys(first!.attributes).length, 256 + 2)
  assert.equal(first!.droppedAttributesCount, 1000 - 256)
  assert.deepEqual(Object.keys(second!.attributes).length, 1 + 2)
  assert.equal(Object.getPrototypeOf(third!.attributes), Object.prototype)
  assert.equal(third!.attributes['big'], '1e999')
  assert.equal(third!.attributes['lone'], '\ufffd')
})

test('a line that is no JSON is rejected with its place, and does not stop the file', async () => {
  const path = fresh('a.json', '{"a":1}\nnonsense\n[1]\n{"a":2}\n')
  const store = memoryStore().namespace('f')
  const run = await drain({ include: [path], format: 'json' }, { store })
  assert.deepEqual(pick(run, 'a'), [1, 2])
  assert.deepEqual(
    run.context.letters.map(({ reason, raw, source }) => [reason, raw, source]),
    [
      ['malformed', 'nonsense', `${path}:8`],
      ['malformed', '[1]', `${path}:17`],
    ],
  )
  const again = await drain({ include: [path], format: 'json' }, { store })
  assert.deepEqual([again.records, again.context.letters], [[], []])
})

test('a page with malformed lines is read again while they cannot be put in safety', async () => {
  const path = fresh('a.json', '{"a":1}\nnonsense\n')
  const letters: unknown[] = []
  let attempts = 0
  const run = await drain(
    { include: [path], format: 'json' },
    {
      reject: async (more) => {
        attempts += 1
        if (attempts < 3) throw new Error('the disk is full')
        letters.push(...more)
      },
    },
  )
  assert.equal(letters.length, 1)
  assert.deepEqual(pick(run, 'a'), [1, 1, 1])
  assert.equal(new Set(pick(run, 'log.record.uid')).size, 1)
})

const POD = 'shop_web-7d4b9c-x2x1z_0a1b2c3d-0000-4000-8000-123456789abc'
const cri = (time: string, stream: string, tag: string, text: string) =>
  `2026-01-02T03:04:${time}Z ${stream} ${tag} ${text}\n`

test('CRI lines carry their time, their stream and the pod of their path', async () => {
  const path = fresh(
    `${POD}/server/3.log`,
    cri('05.123456789', 'stdout', 'F', 'hello world') + cri('06', 'stderr', 'F', ''),
  )
  const run = await drain({ include: [join(dirname(path), '*.log')], format: 'cri' })
  const [first, second] = run.records
  assert.equal(first?.body, 'hello world')
  assert.equal(hrTimeToRfc3339(first!.hrTime), '2026-01-02T03:04:05.123456789Z')
  assert.equal(first?.attributes['log.iostream'], 'stdout')
  assert.deepEqual(first?.resource.attributes, {
    'k8s.namespace.name': 'shop',
    'k8s.pod.name': 'web-7d4b9c-x2x1z',
    'k8s.pod.uid': '0a1b2c3d-0000-4000-8000-123456789abc',
    'k8s.container.name': 'server',
    'k8s.container.restart_count': 3,
  })
  assert.deepEqual([second?.body, second?.attributes['log.iostream']], ['', 'stderr'])
})

test('a container log that the kubelet rotates keeps its pod, and so does a link in /var/log/containers', async () => {
  const path = fresh(`${POD}/server/0.log`, cri('01', 'stdout', 'F', 'one'))
  const rotating = start({ include: [path], format: 'cri', poll_interval: '150ms' })
  await rotating.until(1)
  appendFileSync(path, cri('02', 'stdout', 'F', 'two'))
  renameSync(path, `${path}.20260102-030405`)
  writeFileSync(path, cri('03', 'stdout', 'F', 'three'))
  await rotating.until(3)
  await rotating.stop()
  assert.deepEqual(bodies(rotating), ['one', 'two', 'three'])
  assert.equal(new Set(rotating.records.map((record) => record.resource)).size, 1)
  const rotated = await drain({ include: [`${path}.20260102-030405`], format: 'cri' })
  assert.equal(rotated.records[0]?.resource.attributes['k8s.pod.name'], 'web-7d4b9c-x2x1z')

  const id = 'ab'.repeat(32)
  const link = join(dirname(path), `web-7d4b9c-x2x1z_shop_server-${id}.log`)
  symlinkSync(path, link)
  const linked = await drain({ include: [link], format: 'cri' })
  assert.equal(linked.records[0]?.resource.attributes['container.id'], id)
  assert.equal(linked.records[0]?.resource.attributes['k8s.pod.uid'], '0a1b2c3d-0000-4000-8000-123456789abc')
})

test('parts of CRI lines are joined for each stream, across pages and restarts', async () => {
  const path = fresh(`${POD}/server/0.log`)
  const store = memoryStore().namespace('f')
  const config = { include: [path], format: 'cri', force_flush_period: '5s' }
  const first = start(config, { store })
  appendFileSync(path, cri('01', 'stdout', 'F', 'whole'))
  await first.until(1)
  appendFileSync(path, cri('02', 'stdout', 'P', 'out 1, '))
  await sleep(60)
  appendFileSync(path, cri('03', 'stderr', 'P', 'err 1, ') + cri('04', 'stdout', 'P', 'out 2, '))
  await sleep(400)
  assert.deepEqual(bodies(first), ['whole'])
  await first.stop()
  appendFileSync(path, cri('05', 'stderr', 'F', 'err 2') + cri('06', 'stdout', 'F', 'out 3'))
  const second = start(config, { store })
  await second.until(2)
  await second.stop()
  assert.deepEqual(bodies(second), ['err 1, err 2', 'out 1, out 2, out 3'])
  assert.deepEqual(pick(second, 'log.iostream'), ['stderr', 'stdout'])
  assert.equal(hrTimeToRfc3339(second.records[1]!.hrTime).slice(17, 19), '02')
  assert.deepEqual(bodies(await drain(config, { store })), [])
})

test('parts that never end are handed on, and joined lines are no longer than max_log_size', async () => {
  const parts = ['aaaaaaaaaa', 'bbbbbbbbbb', 'cccccccccc'].map((text) => cri('01', 'stdout', 'P', text)).join('')
  const path = fresh('a.log', parts)
  assert.deepEqual(bodies(await drain({ include: [path], format: 'cri' })), ['aaaaaaaaaabbbbbbbbbbcccccccccc'])
  const config = { include: [path], format: 'cri', max_log_size: 64 }
  appendFileSync(path, Array.from({ length: 10 }, () => cri('02', 'stdout', 'P', 'x'.repeat(20))).join(''))
  appendFileSync(path, cri('03', 'stdout', 'F', 'end'))
  const split = bodies(await drain(config)) as string[]
  assert.ok(split.every((body) => body.length <= 64) && split.join('').endsWith('xend'))
  assert.equal(split.join('').length, 30 + 200 + 3)
  const truncated = await drain({ ...config, max_log_size_behavior: 'truncate' })
  assert.equal(truncated.records.length, 1)
  assert.ok((truncated.context.counts['weir_file_truncated_bytes'] ?? 0) > 100)
})

test('docker json-file lines are read as container lines too', async () => {
  const docker = (log: string, stream = 'stdout') =>
    `${JSON.stringify({ log, stream, time: '2026-01-02T03:04:05.5Z' })}\n`
  const path = fresh('a-json.log', docker('one\n') + docker('two ') + docker('parts\n') + docker('err\r\n', 'stderr'))
  const run = await drain({ include: [path], format: 'cri' })
  assert.deepEqual(bodies(run), ['one', 'two parts', 'err'])
  assert.deepEqual(pick(run, 'log.iostream'), ['stdout', 'stdout', 'stderr'])
  assert.deepEqual(run.records[0]?.hrTime, [1_767_323_045, 500_000_000])
})

test('lines that no container runtime wrote are rejected', async () => {
  const lines = [
    'plain text',
    '2026-01-02T03:04:05Z stdout F',
    'x stdout F y',
    '2026-01-02T03:04:05Z stdin F y',
    '{"log":1}',
    '{',
  ]
  const run = await drain({ include: [fresh('a.log', `${lines.join('\n')}\n`)], format: 'cri' })
  assert.deepEqual(bodies(run), [''])
  assert.equal(run.context.letters.length, 5)
})

const refusals = [
  {
    name: 'two patterns',
    keys: { multiline: { line_start_pattern: 'a', line_end_pattern: 'b' } },
    error: /exactly one/,
  },
  { name: 'no pattern', keys: { multiline: {} }, error: /exactly one/ },
  { name: 'a bad pattern', keys: { multiline: { line_start_pattern: '(' } }, error: /not a regular expression/ },
  { name: 'multi-line JSON', keys: { format: 'json', multiline: { line_end_pattern: 'b' } }, error: /no multiline/ },
  { name: 'an expression', keys: { attributes: { a: 'EXPR(1)' } }, error: /EXPR/ },
  { name: 'no retries', keys: { retry_on_failure: { enabled: false } }, error: /always reads again/ },
  { name: 'an unknown encoding', keys: { encoding: 'klingon' }, error: /unknown encoding/ },
  { name: 'a duration without a unit', keys: { poll_interval: '5' }, error: /duration/ },
] as const

for (const { name, keys, error } of refusals) {
  test(`the configuration is refused with ${name}`, () => {
    assert.throws(() => fileLog.config.parse({ include: ['/x'], ...keys }), error)
  })
}

test('every key of the Collector that is not supported is named with a sentence', () => {
  for (const [key, sentence] of Object.entries(fileLog.unsupported ?? {})) {
    assert.match(sentence, /^[A-Z].*\.$/, key)
    assert.throws(() => fileLog.config.parse({ include: ['/x'], [key.split('.')[0]!]: {} }))
  }
})

const oddTimes = ['1969-12-31T23:59:59Z', '2554-07-21T23:34:33Z', '9999-01-01T00:00:00Z', '2026-02-30T00:00:00Z']

for (const value of [...oddTimes, 1e300, -5, '1e300', '99999999999999999999']) {
  test(`a JSON line of the time ${value} has the time of its reading, and keeps the text`, async () => {
    const path = fresh('a.json', `${JSON.stringify({ time: value, msg: 'x' })}\n`)
    const { records } = await drain({ include: [path], format: 'json' })
    const [record] = records
    assert.deepEqual(record?.hrTime, record?.hrTimeObserved)
    assert.equal(record?.attributes['time'], value)
  })
}

for (const time of oddTimes) {
  test(`a CRI line of ${time} has the time of its reading, and keeps the text`, async () => {
    const docker = JSON.stringify({ log: 'two\n', stream: 'stdout', time })
    const run = await drain({ include: [fresh('a.log', `${time} stdout F one\n${docker}\n`)], format: 'cri' })
    assert.deepEqual(bodies(run), ['one', 'two'])
    for (const { hrTime, hrTimeObserved } of run.records) assert.deepEqual(hrTime, hrTimeObserved)
    assert.deepEqual(pick(run, 'log.time.original'), [time, time])
    assert.deepEqual(run.context.letters, [])
  })
}

test('numbers of JSON lines keep their digits', async () => {
  const line =
    '{"id":9007199254740993,"n":{"deep":-12345678901234567890},"huge":1e400,"f":0.1234567890123456789,"k":5}\n'
  const { records } = await drain({ include: [fresh('a.json', line)], format: 'json' })
  const { id, 'n.deep': deep, huge, f, k } = records[0]!.attributes
  assert.deepEqual(
    [id, deep, huge, f, k],
    ['9007199254740993', '-12345678901234567890', '1e400', 0.12345678901234568, 5],
  )
})

const epochs: [string, number, number][] = [
  ['1767323045', 1_767_323_045, 0],
  ['1767323045.1234567', 1_767_323_045, 123_456_700],
  ['1767323045123', 1_767_323_045, 123_000_000],
  ['1767323045123456', 1_767_323_045, 123_456_000],
  ['1767323045123456789', 1_767_323_045, 123_456_789],
  ['"1767323045123456789"', 1_767_323_045, 123_456_789],
]
for (const [text, seconds, nanos] of epochs) {
  test(`the time ${text} of a JSON line is read to its last digit`, async () => {
    const { records } = await drain({ include: [fresh('a.json', `{"ts":${text}}\n`)], format: 'json' })
    assert.deepEqual(records[0]?.hrTime, [seconds, nanos])
  })
}

test('no attribute of a JSON line has an empty name', async () => {
  const { records } = await drain({ include: [fresh('a.json', '{"":1,"a":{"":2}}\n')], format: 'json' })
  const { attributes } = records[0]!
  assert.deepEqual([attributes[''], attributes['_'], attributes['a.'], attributes['a._']], [undefined, 1, undefined, 2])
})
