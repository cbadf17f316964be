import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { ebpf } from '../../src/cli/ebpf.ts'
import { selectionOf } from '../../src/cli/ebpf-trace.ts'
import { SIGNALS } from '../../src/ebpf/kernel/hooks.ts'
import { EVENT_NAMES } from '../../src/records/event-names.ts'
import { noSensor } from '../ebpf/kit/sensor.ts'
import { record } from '../kit/records.ts'
import { run } from './kit.ts'

const BIN = join(import.meta.dirname, '../../bin/weir')
const DIST = join(import.meta.dirname, '../../dist')
const skip = noSensor()

const shown = (list: string): string[] => {
  const { shows } = selectionOf(list)
  return EVENT_NAMES.filter((eventName) => shows(record({}, { eventName })) && !eventName.startsWith('sensor.'))
}

suite('what is traced', () => {
  test('may be named by signal, by event, or by the last part of an event', () => {
    assert.deepEqual(shown('dns'), ['dns.query', 'dns.response'])
    assert.deepEqual(shown('process.exec'), ['process.exec'])
    assert.deepEqual(shown('exec, connect'), ['process.exec', 'network.connect'])
    assert.deepEqual(shown('process'), ['process.exec', 'process.exec_failed', 'process.fork', 'process.exit'])
    assert.deepEqual(shown('ptrace'), ['process.ptrace'])
    assert.deepEqual(shown('fd_redirect'), ['process.fd_redirect'])
  })

  test('loads no more than it needs', () => {
    assert.equal(selectionOf('exec').signals, SIGNALS.process)
    assert.equal(selectionOf('dns,open').signals, SIGNALS.process | SIGNALS.dns | SIGNALS.file)
  })

  test('always has what the sensor says of itself', () => {
    assert(selectionOf('dns').shows(record({}, { eventName: 'sensor.loss' })))
  })

  test('is without a choice what tells something', () => {
    const { shows } = selectionOf(undefined)
    assert(shows(record({}, { eventName: 'process.exec' })))
    assert(!shows(record({}, { eventName: 'file.open', severityNumber: 5 })))
    assert(shows(record({}, { eventName: 'file.open', severityNumber: 13 })))
    assert(!shows(record({ 'error.type': 'ENOENT' }, { eventName: 'process.exec_failed' })))
    assert(shows(record({ 'error.type': 'EACCES' }, { eventName: 'process.exec_failed' })))
  })

  test('must exist', () => {
    for (const word of ['nonsense', 'k8s.audit', 'detection', '', 'exec,'])
      assert.throws(() => selectionOf(word), /there is no signal and no event/, word)
  })

  test('every signal has events', () => {
    for (const signal of Object.keys(SIGNALS)) assert(shown(signal).length > 0, signal)
  })
})

test('a wrong command is answered with those that exist', async () => {
  for (const args of [[], ['chek']]) {
    const { code, stderr } = await run(ebpf, args)
    assert.equal(code, 1)
    assert.match(stderr, /check and trace/)
  }
})

suite('on this kernel', { skip }, () => {
  test('check names a hook for each signal, or says why there is none; its exit code says whether all are there', () => {
    const { stdout, status } = spawnSync(BIN, ['ebpf', 'check', '--json'], { encoding: 'utf8' })
    const rows: { signal: string; feature: string; hook: string | null; reason?: string }[] = JSON.parse(stdout)
    assert.deepEqual([...new Set(rows.map(({ signal }) => signal))].sort(), Object.keys(SIGNALS).sort())
    for (const { feature, hook, reason } of rows) assert(hook !== null || (reason ?? '') !== '', feature)
    assert.equal(status, rows.every(({ hook }) => hook !== null) ? 0 : 1)
    const text = spawnSync(BIN, ['ebpf', 'check'], { encoding: 'utf8' })
    assert.equal(text.status, status)
    for (const { feature } of rows) assert(text.stdout.includes(feature), feature)
  })

  test('check says what is missing where privileges are', () => {
    const command = [
      '--reuid=65534',
      '--clear-groups',
      '--',
      process.execPath,
      join(DIST, '../src/main.ts'),
      'ebpf',
      'check',
    ]
    const { stderr, status } = spawnSync('setpriv', command, { encoding: 'utf8' })
    assert.equal(status, 1)
    assert.match(stderr, /needs the capabilities BPF, PERFMON and NET_ADMIN/)
    assert.equal(stderr.trim().split('\n').length, 1)
  })

  test('trace prints a line for a program that is started, and ends with Ctrl-C', { timeout: 60_000 }, async () => {
    const child = spawn(BIN, ['ebpf', 'trace', '--signal', 'exec'], { stdio: ['ignore', 'pipe', 'pipe'] })
    const output = collect(child)
    try {
      await until(
        () => /sensor\.status/.test(output.text),
        () => output.text,
      )
      spawnSync('/bin/echo', ['traced\u001b[31m\nprogram'])
      await until(
        () => /process\.exec .*echo.*traced/.test(output.text),
        () => output.text,
      )
      child.kill('SIGINT')
      const code = await new Promise((resolve) => child.on('close', resolve))
      assert.equal(code, 0)
      assert(!output.text.includes('\u001b'), 'what programs are called draws nothing on the terminal')
      for (const text of output.text.trim().split('\n'))
        assert.match(text, /^\d\d:\d\d:\d\d\.\d{3} {2}(process\.exec|sensor\.)/)
    } finally {
      child.kill('SIGKILL')
    }
  })

  test('the compiled program runs wherever it is copied to', {
    skip: !existsSync(join(DIST, 'main.js')) && 'there is no dist/: npm run build',
  }, () => {
    const dir = mkdtempSync(join(tmpdir(), 'weir-dist-'))
    try {
      cpSync(DIST, dir, { recursive: true })
      const { stdout, stderr } = spawnSync(process.execPath, [join(dir, 'main.js'), 'ebpf', 'check'], {
        encoding: 'utf8',
        cwd: '/',
      })
      assert.equal(stderr, '')
      assert.match(stdout, /process\.lifetime +tp_btf/)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })
})

function collect(child: ChildProcess): { readonly text: string } {
  const output = { text: '' }
  child.stdout?.setEncoding('utf8').on('data', (chunk) => {
    output.text += chunk
  })
  return output
}

async function until(done: () => boolean, what: () => string): Promise<void> {
  for (const end = Date.now() + 20_000; !done(); await new Promise((resolve) => setTimeout(resolve, 20)))
    assert(Date.now() < end, `waited in vain:\n${what()}`)
}
