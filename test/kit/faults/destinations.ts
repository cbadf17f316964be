/** Faults of destinations: gone, refusing, hanging, breaking off, answering nonsense, taking half. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Mood } from '../faulty-destination.ts'
import type { Fault } from './fault.ts'
import { type FlowOptions, flow, type Kind, type Queue } from './flow.ts'

/** A destination that misbehaves while records come, and then is well. */
function spell(name: string, mood: Mood, options: Partial<FlowOptions> = {}): Fault {
  return {
    name,
    run: ({ records }) =>
      flow({ fault: name, mood, ...options }, async ({ writeOver, start, to, account }) => {
        const weir = await start()
        await writeOver(records / 2, 1500)
        await sleep(500)
        await to.mood({ kind: 'accepts' })
        await writeOver(records / 2, 500)
        const result = await account(`${(await to.report()).requests} requests`)
        await weir.end()
        return result
      }),
  }
}

const queues: readonly Queue[] = ['memory', 'disk']
const kinds: readonly Kind[] = ['otlp', 'bulk']
const named = { otlp: 'OTLP', bulk: '`_bulk`' } as const

/** Down from before the start for longer than any timeout and backoff of its exporter. */
const down: Fault[] = queues.map((queue) => {
  const name = `destination down from the start for longer than every timeout (queue in ${queue})`
  return {
    name,
    run: ({ records }) =>
      flow({ fault: name, queue, mood: { kind: 'down' } }, async ({ write, start, to, account }) => {
        write(records)
        const weir = await start()
        await sleep(4000)
        await to.mood({ kind: 'accepts' })
        const result = await account('4 s of requests that time out after 2 s')
        await weir.end()
        return result
      }),
  }
})

export const destinationFaults: readonly Fault[] = [
  ...down,
  ...kinds.flatMap((kind) => [
    spell(`${named[kind]} answers 503`, { kind: 'answers', status: 503 }, { kind }),
    spell(`${named[kind]} answers 429 with Retry-After`, { kind: 'answers', status: 429, retryAfter: 1 }, { kind }),
    spell(`${named[kind]} answers 500`, { kind: 'answers', status: 500 }, { kind }),
    spell(`${named[kind]} hangs`, { kind: 'hangs' }, { kind }),
    spell(`${named[kind]} resets in the middle of a request`, { kind: 'resets' }, { kind }),
    spell(`${named[kind]} takes a request and resets instead of answering`, { kind: 'takes and resets' }, { kind }),
    spell(`${named[kind]} takes a request and breaks off its answer`, { kind: 'breaks off' }, { kind }),
    spell(`${named[kind]} refuses one record in a hundred`, { kind: 'refuses', every: 100 }, { kind }),
    spell(`${named[kind]} answers garbage`, { kind: 'answers garbage' }, { kind }),
    spell(`${named[kind]} answers with a web page`, { kind: 'answers garbage', type: 'text/html' }, { kind }),
    spell(`${named[kind]} takes half of each request`, { kind: 'takes half' }, { kind }),
  ]),
  spell(
    'all of these in turn, queue in memory',
    {
      kind: 'changes',
      moods: [
        { kind: 'accepts' },
        { kind: 'answers', status: 503 },
        { kind: 'answers', status: 429, retryAfter: 0 },
        { kind: 'hangs' },
        { kind: 'takes and resets' },
        { kind: 'is slow', ms: 300 },
      ],
    },
    { queue: 'memory' },
  ),
]
