import assert from 'node:assert/strict'
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { auditLine } from '../kit/audit-lines.ts'
import { otlpSink } from '../kit/otlp-sink.ts'
import { type WeirProcess, type Workspace, workspace } from '../kit/weir.ts'

const MIB = 2 ** 20
/** From its sources the program takes about 130 MiB at rest; a line may be 1 MiB, of an audit log 16. */
const MOST_MIB = 420

/** Lines of 100 MiB, so many bytes at once that the test itself stays small. */
function writeLong(path: string, byte: string, mib: number): void {
  const file = openSync(path, 'a')
  const part = Buffer.alloc(MIB, byte)
  for (let i = 0; i < mib; i++) writeSync(file, part)
  writeSync(file, '\n')
  closeSync(file)
}

function watchMemory({ child }: WeirProcess): () => number {
  let peak = 0
  const timer = setInterval(() => {
    try {
      // A process that has ended and is not yet reaped has a status without memory.
      const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]
      if (resident !== undefined) peak = Math.max(peak, Number(resident) / 1024)
    } catch {
      clearInterval(timer)
    }
  }, 20)
  return () => {
    clearInterval(timer)
    return peak
  }
}

/** Drains a configuration; returns the bodies that arrived, the exit code, stderr and the peak of memory. */
async function drain(receiver: (room: Workspace) => string) {
  const room = workspace()
  const sink = await otlpSink()
  try {
    const one = room.run(
      `receivers: {${receiver(room)}}
exporters: {otlp_http: {endpoint: '${sink.url}', compression: none}}
service: {telemetry: {metrics: {level: none}}, pipelines: {logs: {receivers: [RECEIVER], exporters: [otlp_http]}}}
`.replace('RECEIVER', receiver(room).split(':')[0] as string),
      { flags: ['--drain'] },
    )
    const peakOf = watchMemory(one)
    const { code } = await one.ended
    return { bodies: sink.accepted.map(({ body }) => body), code, stderr: one.stderr, peak: peakOf() }
  } finally {
    await room.remove()
    await sink.close()
  }
}

test('a text line of 100 MiB is cut into records of at most max_log_size, and what stands around it arrives', async () => {
  const { bodies, code, peak } = await drain((room) => {
    writeFileSync(room.path('a.log'), 'before\n')
    writeLong(room.path('a.log'), 'x', 100)
    writeFileSync(room.path('a.log'), 'after\n', { flag: 'a' })
    return `file_log: {include: ['${room.path('a.log')}'], start_at: beginning}`
  })
  assert.equal(code, 0)
  assert.deepEqual([bodies.at(0), bodies.at(-1), bodies.length], ['before', 'after', 102])
  assert.equal(
    bodies.reduce((total: number, body) => total + String(body).length, 0),
    100 * MIB + 'beforeafter'.length,
  )
  assert(peak < MOST_MIB, `${peak} MiB`)
})

test('an audit line of 100 MiB is no event: it goes to the dead-letter file, cut, and the events around it arrive', async () => {
  const { bodies, code, stderr, peak } = await drain((room) => {
    const path = room.path('audit.log')
    writeFileSync(path, `${auditLine('before')}\n{"kind":"Event","annotations":{"x":"`)
    writeLong(path, 'y', 100)
    writeFileSync(path, `${auditLine('after')}\n`, { flag: 'a' })
    return `k8s_audit: {include: ['${path}'], start_at: beginning, default_ignores: false}`
  })
  assert.equal(code, 2)
  assert.equal(bodies.length, 2)
  assert.match(stderr, /1 rejected by k8s_audit: malformed/)
  assert(peak < MOST_MIB, `${peak} MiB`)
})

test('lines that are no UTF-8, no JSON, or JSON of 100,000 levels cost nothing but themselves', async () => {
  const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
  const lines = [Buffer.from('{"log":"one"}'), Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x80, 0x22]), Buffer.from(deep)]
  const { bodies, code, stderr } = await drain((room) => {
    const path = room.path('a.log')
    writeFileSync(
      path,
      Buffer.concat(
        [...lines, Buffer.alloc(100, 0), Buffer.from('{"log":"two"}')].flatMap((line) => [line, Buffer.from('\n')]),
      ),
    )
    return `file_log: {include: ['${path}'], start_at: beginning, format: json}`
  })
  assert([0, 2].includes(code ?? -1), stderr)
  assert(bodies.length >= 2)
  assert.equal(JSON.stringify(bodies).includes('one') && JSON.stringify(bodies).includes('two'), true)
  assert.doesNotMatch(stderr, /RangeError|Maximum call stack/)
})

test('a gzip file that unpacks to 1 GiB of one line is read in bounded memory', { timeout: 120_000 }, async () => {
  const { bodies, code, stderr, peak } = await drain((room) => {
    const path = room.path('a.log.gz')
    // Members one after the other: 64 MiB of zeros each, of 64 KiB on disk.
    const bomb = gzipSync(Buffer.alloc(64 * MIB, '0'), { level: 9 })
    writeFileSync(path, Buffer.concat([gzipSync('first\n'), ...Array(16).fill(bomb), gzipSync('\nlast\n')]))
    return `file_log: {include: ['${path}'], start_at: beginning, compression: auto, max_log_size_behavior: truncate}`
  })
  assert.equal(code, 0, stderr)
  assert.deepEqual([bodies.length, bodies[0], String(bodies[1]).length, bodies[2]], [3, 'first', MIB, 'last'])
  assert.match(stderr, /bytes cut from lines longer than max_log_size/)
  assert(peak < MOST_MIB, `${peak} MiB`)
})
