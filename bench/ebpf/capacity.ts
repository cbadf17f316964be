/**
 * What the sensor can take: events offered at a rate, records that came of them, losses, and the CPU of each in user
 * space, beside the bare drain of the ring.
 *
 *   npm run bench -- ebpf-capacity [--seconds 5]
 */
import { hostname } from 'node:os'
import { parseArgs } from 'node:util'
import { DEFAULTS } from '../../src/ebpf/kernel/config.ts'
import { Sensor } from '../../src/ebpf/kernel/sensor.ts'
import type { TakeRecord } from '../../src/ebpf/memory.ts'
import { createModel } from '../../src/ebpf/model.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { start, workload } from './kit.ts'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '5' } } })
const LOADS = [
  ['same', 300_000, 'opens of one file, folded in the kernel'],
  ['write', 50_000, 'opens that are never folded'],
  ['connect', 2_000, 'connections, opened and closed'],
  ['spawn', 0, 'processes, as fast as the machine starts them'],
] as const
const binary = workload()
const rings = { critical: 4 << 20, bulk: 16 << 20 }

function count(sensor: Sensor, name: 'emitted' | 'attempted' | 'deduped'): number {
  return [...sensor.counters().values()].reduce((sum, each) => sum + each[name], 0)
}

interface Result {
  readonly offered: number
  readonly rate: number
  readonly kernel: number
  readonly folded: number
  readonly taken: number
  readonly records: number
  readonly micros: number
}

async function run(load: string, rate: number, decodes: boolean): Promise<Result> {
  const sensor = Sensor.load({ config: { ...DEFAULTS, rate: [0, 0, 0, 0] }, rings })
  const model = createModel({ node: hostname(), bootId: 'bench', suppress: new Set(['process.fork']) })
  model.setClock(BigInt(Date.now()) * 1_000_000n)
  let out: LogRecord[] = []
  let taken = 0
  let records = 0
  const take: TakeRecord = decodes
    ? (memory, at, size) => {
        taken++
        model.take(memory, at, size, out)
      }
    : () => {
        taken++
      }
  sensor.setSelf(process.pid)
  sensor.attach()
  sensor.scan(take)
  while (sensor.drain(take) > 0);
  taken = records = 0
  const before = { attempted: count(sensor, 'attempted'), folded: count(sensor, 'deduped') }
  let isOver = false
  const done = start(binary, `paced-${load}`, values.seconds, rate).finally(() => {
    isOver = true
  })
  const cpu = process.cpuUsage()
  for (;;) {
    const got = sensor.drain(take)
    records += out.length
    out = []
    if (got === 0 && isOver) break
    await new Promise((resolve) => (got > 2000 ? setImmediate(resolve) : setTimeout(resolve, 2)))
  }
  const { user, system } = process.cpuUsage(cpu)
  const { count: offered, rate: actual } = await done
  while (sensor.drain(take) > 0);
  const result = {
    offered,
    rate: actual,
    kernel: count(sensor, 'attempted') - before.attempted,
    folded: count(sensor, 'deduped') - before.folded,
    taken,
    records,
    micros: (user + system) / taken,
  }
  sensor.close()
  return result
}

console.log(
  '| load | offered/s | records tried | folded | taken | lost | log records | CPU µs a record | bare drain, µs |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
)
const whole = (value: number): string => Math.round(value).toLocaleString('en')
for (const [load, rate, what] of LOADS) {
  const bare = await run(load, rate, false)
  const full = await run(load, rate, true)
  console.log(
    `| ${what} | ${whole(full.rate)} | ${whole(full.kernel)} | ${whole(full.folded)} | ${whole(full.taken)} | ${whole(full.kernel - full.taken)} | ${whole(full.records)} | ${full.micros.toFixed(2)} | ${bare.micros.toFixed(2)} |`,
  )
}
