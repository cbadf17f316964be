import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { capabilityMask } from '../../receivers/ebpf/config.ts'
import { ebpf } from '../../receivers/ebpf/index.ts'
import { Outlet } from '../../receivers/ebpf/outlet.ts'
import { settingsOf } from '../../receivers/ebpf/settings.ts'
import { DELIVERED } from '../../src/flow/ack.ts'
import type { Batch } from '../../src/flow/batch.ts'
import { Budget } from '../../src/flow/budget.ts'
import { Intake } from '../../src/flow/intake.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { noSensor } from '../ebpf/kit/sensor.ts'
import { type TestContext, testContext } from '../kit/context.ts'
import { definitionContract } from '../kit/definition-contract.ts'
import { FAILED } from '../kit/outcomes.ts'
import { record } from '../kit/records.ts'

const skip = noSensor()

suite('receiver ebpf keeps the contract', () => definitionContract(ebpf))

suite('mistakes in the configuration are named', () => {
  const MISTAKES: [object, RegExp][] = [
    [{ signals: { files: true } }, /files/],
    [{ rings: { bulk: '3MiB' } }, /power of two between 64KiB and 1GiB/],
    [{ rings: { critical: '4KiB' } }, /power of two between 64KiB and 1GiB/],
    [{ exclude: { cidrs: ['10.0.0.0/33'] } }, /10\.0\.0\.0\/8/],
    [{ exclude: { cidrs: ['localhost'] } }, /an address or a range/],
    [{ exclude: { ports: [0] } }, /ports/],
    [{ exclude: { path_prefixes: ['etc'] } }, /an absolute path/],
    [{ exclude: { binaries: [`/${'a'.repeat(300)}`] } }, /at most 252 bytes/],
    [{ environment: { allow: ['LD PRELOAD'] } }, /LD_PRELOAD/],
    [{ capabilities: ['sys_everything'] }, /capabilities/],
    [{ watch: { files: [{ class: 'Secret Files', paths: ['/a'] }] } }, /a name such as credentials/],
    [{ watch: { files: [{ class: 'a', paths: ['relative'] }] } }, /an absolute path, or one that begins/],
    [{ dedup: '1500ms' }, /whole seconds/],
    [{ simulate_drop: 101 }, /simulate_drop/],
    [{ capture: { payload: '1MiB' } }, /128 to 2048/],
  ]
  for (const [config, expected] of MISTAKES) {
    test(JSON.stringify(config).slice(0, 80), () => {
      assert.match(ebpf.config.safeParse(config).error?.message ?? 'no error', expected)
    })
  }
})

suite('what is configured is what the kernel is told', () => {
  const told = (config: object) => settingsOf(ebpf.config.parse(config))

  test('everything is watched by default, and forks are learned from but not reported', () => {
    const { config, suppress, watch, environment } = told({})
    assert.equal(config.signals, 0x3ffff)
    assert.deepEqual([...(suppress ?? [])], ['process.fork'])
    assert.deepEqual(config.rate, [500, 2000, 2000, 500])
    assert.equal(config.withEnv, 0)
    assert.equal(environment?.size, 0)
    assert(watch.length > 3)
  })

  test('signals, budgets, repeats, payload and environment', () => {
    const { config, watch } = told({
      signals: { file: false, dns: false },
      rate_limits: { enabled: false },
      dedup: '1m',
      capture: { payload: '1KiB' },
      environment: { allow: ['LD_PRELOAD'] },
      failed_opens: false,
      watch: { defaults: false },
    })
    assert.equal(config.signals, 0x3ffff & ~2 & ~8)
    assert.deepEqual(config.rate, [0, 0, 0, 0])
    assert.equal(config.dedupSeconds, 60)
    assert.equal(config.l7Payload, 1024)
    assert.equal(config.withEnv, 1)
    assert.equal(config.failedOpens, 0)
    assert.deepEqual(watch, [])
  })

  test('capabilities by any of their names', () => {
    const { config } = told({ capabilities: ['CAP_SYS_ADMIN', 'bpf', 'chown'] })
    assert.equal(config.capMask, (1n << 21n) | (1n << 39n) | 1n)
    assert.equal(capabilityMask(['checkpoint_restore']), 1n << 40n)
  })
})

suite('when the pipelines have no room', () => {
  const of = (eventName: string, severityNumber = 9): LogRecord => ({ ...record(), eventName, severityNumber })
  const many = (count: number, eventName: string, severity?: number): LogRecord[] =>
    Array.from({ length: count }, () => of(eventName, severity))

  function open(limit: number, budget: number) {
    const context = testContext()
    const shed: Record<string, number> = {}
    const batches: Batch[] = []
    const intake = new Intake(new Budget(budget))
    intake.batches$.subscribe((batch) => void batches.push(batch))
    const patience = new AbortController()
    const outlet = new Outlet({
      context,
      limit,
      shed: (name, records) => {
        shed[name] = (shed[name] ?? 0) + records.length
      },
    })
    outlet.open(intake, patience.signal)
    return { context, shed, batches, intake, outlet, patience }
  }

  test('files are shed first, then programs, and privileges last', async () => {
    const { outlet, shed, batches, patience } = open(100_000, 1)
    // Takes the whole budget, and does not give it back.
    outlet.offer(many(1, 'file.open'), 0)
    await sleep(1)
    assert.equal(batches.length, 1)
    const each = 1000 - 256
    outlet.offer(many(200, 'file.open'), 200 * each)
    assert.equal(shed['file.open'], 150)
    outlet.offer(many(200, 'process.exec'), 200 * each)
    assert.equal(shed['process.exec'], 175)
    outlet.offer(many(10, 'file.open'), 10 * each)
    assert.equal(shed['file.open'], 160)
    outlet.offer([...many(100, 'privilege.change', 13)], 100 * each)
    assert.equal(shed['privilege.change'], 75)
    outlet.offer(many(1, 'sensor.loss', 17), each)
    assert.equal(shed['sensor.loss'], 1, 'bounded it is in any case')
    patience.abort(new Error('over'))
    await outlet.close()
    assert.deepEqual(shed, { 'file.open': 210, 'process.exec': 200, 'privilege.change': 100, 'sensor.loss': 1 })
  })

  test('what waited goes on in its order, in batches of bounded size, once there is room', async () => {
    const { outlet, batches, shed } = open(100_000_000, 1)
    outlet.offer(many(1, 'file.open'), 0)
    await sleep(1)
    const waiting = Array.from({ length: 2500 }, (_, i) => ({ ...of('file.open'), body: i }))
    outlet.offer(waiting.slice(0, 700), 700)
    outlet.offer(waiting.slice(700), 1800)
    const arrived: LogRecord[] = []
    for (let i = 0; arrived.length < 2500 && i < 100; i++) {
      const batch = batches.at(-1)
      batch?.ack.settle(DELIVERED)
      await sleep(1)
      const next = batches.at(-1)
      if (next === batch || next === undefined) continue
      assert(next.records.length <= 1000)
      arrived.push(...next.records)
    }
    assert.deepEqual(
      arrived.map(({ body }) => body),
      waiting.map(({ body }) => body),
    )
    assert.deepEqual(shed, {})
  })

  test('what fails on its way is lost, and counted', async () => {
    const { outlet, batches, context } = open(1_000_000, 1_000_000)
    outlet.offer(many(7, 'file.open'), 700)
    await sleep(1)
    batches[0]?.ack.settle(FAILED)
    await sleep(1)
    assert.deepEqual(context.lostBy, { failed: 7 })
  })
})

interface Running {
  readonly records: LogRecord[]
  readonly context: TestContext
  until(fits: (record: LogRecord) => boolean, what: string): Promise<LogRecord>
  stop(): Promise<void>
}

async function start(config: object): Promise<Running> {
  const context = testContext()
  const receiver = ebpf.create(ebpf.config.parse(config), context)
  const records: LogRecord[] = []
  const intake = new Intake(new Budget(1 << 24))
  intake.batches$.subscribe((batch) => {
    records.push(...batch.records)
    batch.ack.settle(DELIVERED)
  })
  const controller = new AbortController()
  await receiver.start?.(controller.signal)
  const done = receiver.run(intake, controller.signal)
  const running: Running = {
    records,
    context,
    async until(fits, what) {
      for (const end = Date.now() + 20_000; ; await sleep(20)) {
        const found = records.find(fits)
        if (found !== undefined) return found
        assert(Date.now() < end, `waited in vain for ${what}, among ${records.length} records`)
      }
    },
    async stop() {
      controller.abort(new Error('test is over'))
      await done
      await receiver.stop?.(controller.signal)
    },
  }
  await running.until(({ eventName }) => eventName === 'sensor.status', 'sensor.status')
  return running
}

const named = (name: string, text: string) => (one: LogRecord) =>
  one.eventName === name && String(one.body).includes(text)

suite('on this kernel', { skip }, () => {
  test('a program that is started is recorded, its watched files are marked, and all that was tried is accounted for', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'weir-ebpf-'))
    writeFileSync(join(dir, 'secret'), 'x')
    const running = await start({
      rate_limits: { enabled: false },
      watch: { files: [{ class: 'payments', paths: [join(dir, 'secret'), join(dir, 'later')] }] },
    })
    try {
      spawnSync('/bin/cat', [join(dir, 'secret')])
      writeFileSync(join(dir, 'later'), 'x')
      spawnSync('/bin/cat', [join(dir, 'later')])
      const exec = await running.until(named('process.exec', join(dir, 'secret')), 'the program')
      assert.equal(exec.attributes['process.parent_pid'], process.pid)
      for (const file of ['secret', 'later']) {
        const open = await running.until(named('file.open', join(dir, file)), `the file ${file}`)
        assert.equal(open.attributes['weir.file.watch'], 'payments', file)
      }
      await running.stop()
      const { counts, lostBy } = running.context
      assert.deepEqual(lostBy, {})
      assert((counts['weir_ebpf_events'] ?? 0) > 3)
      assert.equal(counts['weir_ebpf_lost'], undefined)
      const own = running.records.filter(({ attributes }) => attributes['process.pid'] === process.pid)
      assert.deepEqual(
        own.map(({ eventName, body }) => `${eventName} ${body}`),
        [],
        'what Weir does itself is not reported',
      )
    } finally {
      await running.stop()
      rmSync(dir, { recursive: true, force: true })
    }
  })

  test('losses are told in the stream, to the host, and in the metrics', async () => {
    const running = await start({ simulate_drop: 60, rate_limits: { enabled: false }, dedup: 0 })
    try {
      for (let i = 0; i < 30; i++) spawnSync('/bin/true')
      const loss = await running.until(({ eventName }) => eventName === 'sensor.loss', 'sensor.loss')
      assert.match(String(loss.body), /records were lost: .*simulated/)
      assert((loss.attributes['weir.sensor.loss.count'] as number) > 10)
      await running.stop()
      const { counts, lostBy } = running.context
      assert.equal(lostBy['simulated'], counts['weir_ebpf_lost'])
      const told = running.records
        .filter(({ eventName }) => eventName === 'sensor.loss')
        .reduce((sum, { attributes }) => sum + (attributes['weir.sensor.loss.count'] as number), 0)
      assert.equal(told, counts['weir_ebpf_lost'])
    } finally {
      await running.stop()
    }
  })

  test('what is excluded is filtered in the kernel', async () => {
    const running = await start({
      rate_limits: { enabled: false },
      exclude: { binaries: ['/usr/bin/uname'], path_prefixes: ['/etc/hostn'] },
    })
    try {
      spawnSync('/usr/bin/uname')
      spawnSync('/bin/cat', ['/etc/hostname'])
      spawnSync('/bin/cat', ['/etc/fstab', '/etc/os-release'])
      await running.until(named('process.exec', '/etc/fstab'), 'a program that is not excluded')
      await running.until(named('file.open', '/os-release'), 'a file that is not excluded')
      assert(!running.records.some(({ body }) => /uname/.test(String(body))))
      assert(!running.records.some(named('file.open', '/etc/hostname')))
    } finally {
      await running.stop()
    }
  })

  test('it takes under a hundredth of a core while nothing happens', async () => {
    const code = `
      const { openSession } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/ebpf/sensing/open.ts'))})
      const quiet = () => {}
      const { NO_RULES: none } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/ebpf/sensing/rules.ts'))})
      // Without signals the machine is quiet for the sensor, whatever else runs on it.
      const session = openSession(
        { config: { signals: 1 << 13 }, rings: { critical: 1 << 20, bulk: 1 << 20 }, rules: { include: none, exclude: none }, watch: [] },
        { report: { lost: quiet, filtered: quiet, count: quiet, gauge: quiet, health: quiet }, log: { warn: quiet, error: quiet }, deliver: quiet },
      )
      await session.start()
      const stop = new AbortController()
      const running = session.run(stop.signal)
      // Other tests keep the machine busy: the quietest second is what counts.
      let least = Infinity
      for (let i = 0; i < 9; i++) {
        const before = process.cpuUsage()
        await new Promise((resolve) => setTimeout(resolve, 1000))
        const { user, system } = process.cpuUsage(before)
        if (i > 2) least = Math.min(least, user + system)
      }
      stop.abort()
      await running
      await session.end()
      console.log(least / 1e6)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => (output += chunk))
    await new Promise((resolve) => child.on('close', resolve))
    const share = Number(output)
    console.log(`The sensor takes ${(share * 100).toFixed(2)} % of a core while nothing happens.`)
    assert(share > 0 && share < 0.01, `it took ${share} of a core: ${output}`)
  })
})

test('the page says which signals there are', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/components/receivers/ebpf.md'), 'utf8')
  for (const signal of Object.keys(ebpf.config.parse({}).signals)) assert(page.includes(`signals.${signal}`), signal)
})
