/** Faults of Weir's own process and of what it stands on: killed, reloaded, slowed, without disk. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDestination } from '../faulty-destination.ts'
import { tinyDisk } from '../tiny-disk.ts'
import { workspace } from '../weir.ts'
import type { Fault, FaultResult, Size } from './fault.ts'
import { configOf, exporterOf, flow, type Kind } from './flow.ts'

const named = { otlp: 'OTLP', bulk: '`_bulk`' } as const

/** Killed at random moments while lines come, behind a queue on disk, with a destination that is not well either. */
function kills(kind: Kind): Fault {
  const name = `SIGKILL at random moments, file → disk queue → ${named[kind]}`
  return {
    name,
    run: (size) =>
      flow({ fault: name, kind }, async ({ writeOver, start, room, config, to, account }) => {
        const writing = writeOver(size.records, size.kills * 1000)
        for (let i = 0; i < size.kills; i++) {
          // Now and then the destination is down, so that there is something on disk to come back to.
          await to.mood(i % 3 === 1 ? { kind: 'answers', status: 503 } : { kind: 'is slow', ms: 150 })
          const one = room.run(config)
          await sleep(300 + Math.random() * 1200)
          await one.end('SIGKILL')
        }
        await writing
        await to.mood({ kind: 'accepts' })
        const last = await start()
        const result = await account(`${size.kills} kills`)
        await last.end()
        return result
      }),
  }
}

/** One destination hangs; the other must not notice. */
function slowNeighbour(how: string, queue: string): Fault {
  const name = `one destination hangs, another is well (${how})`
  return { name, run: (size) => beside(name, queue, size) }
}

async function beside(fault: string, queue: string, { records }: Size): Promise<FaultResult> {
  const room = workspace()
  const [well, dead] = [await startDestination(), await startDestination({ kind: 'hangs' })]
  try {
    const input = room.path('in.log')
    writeFileSync(input, '')
    const exporters = {
      otlp_http: exporterOf('otlp', well.url, 'memory'),
      'otlp_http/dead': `{endpoint: '${dead.url}', timeout: 5s, sending_queue: {${queue}}}`,
    }
    const weir = room.run(configOf(input, exporters).replace('service:\n', 'service:\n  memory: {budget: 4MiB}\n'))
    await weir.says(/Everything is ready/)
    const { text, rounds } = { text: (i: number) => `seq-${i}- ${'words of a line '.repeat(20)}\n`, rounds: 50 }
    const lags: number[] = []
    for (let round = 0, n = 0; round < rounds; round++) {
      let lines = ''
      for (let i = 0; i < records / rounds; i++) lines += text(n++)
      writeFileSync(input, lines, { flag: 'a' })
      const writtenAt = Date.now()
      for (; (await well.report()).arrived < n && Date.now() - writtenAt < 5000; ) await sleep(5)
      lags.push(Date.now() - writtenAt)
    }
    const { arrived, duplicates } = await well.report()
    await weir.end('SIGKILL')
    const slowest = Math.max(...lags.slice(1))
    const note = `the other one had each burst within ${slowest} ms`
    // A burst that waits for the dead one would take its timeout of 5 s.
    return { fault, records, missing: records - arrived + (slowest < 2500 ? 0 : 1), duplicates, reported: 0, note }
  } finally {
    await room.remove()
    await well.close()
    await dead.close()
  }
}

/** No room in the state directory while the destination is down; then room, then the destination. */
export const diskFull: Fault = {
  name: 'the disk of the state directory is full, and has room again',
  async run({ records }) {
    const disk = tinyDisk(8192)
    try {
      return await flow({ fault: diskFull.name, mood: { kind: 'answers', status: 503 } }, async (one) => {
        mkdirSync(`${disk.dir}/state`)
        const weir = await one.start(['--state-dir', `${disk.dir}/state`])
        one.write(records / 2)
        await sleep(500)
        disk.fill()
        one.write(records / 2)
        await weir.says(/queue on disk cannot be written/)
        await sleep(500)
        disk.free()
        await sleep(500)
        await one.to.mood({ kind: 'accepts' })
        const result = await one.account('health told it, sources waited')
        const { code } = await weir.end()
        return code === 0 ? result : { ...result, missing: result.missing + 1, note: `exit code ${code}` }
      })
    } finally {
      disk.remove()
    }
  },
}

/** The configuration is exchanged again and again while records come. */
const reloads: Fault = {
  name: 'reloads under load, each with another configuration of the exporter',
  run: ({ records, kills: some }) =>
    flow({ fault: reloads.name }, async ({ writeOver, start, room, config, account }) => {
      const count = some > 10 ? 100 : 20
      const weir = await start()
      const writing = writeOver(records, count * 200)
      for (let i = 1; i <= count; i++) {
        room.write('weir.yaml', config.replace('min_size: 100', `min_size: ${100 + i}`))
        weir.child.kill('SIGHUP')
        await weir.says(new RegExp(`The configuration was reloaded.*reload=${i}\\b`))
      }
      await writing
      const result = await account(`${count} reloads`)
      await weir.end()
      return result
    }),
}

export const processFaults: readonly Fault[] = [
  kills('otlp'),
  kills('bulk'),
  slowNeighbour('queue on disk', 'storage: file_storage'),
  slowNeighbour('queue in memory with drop_oldest', 'overflow: drop_oldest'),
  reloads,
]
