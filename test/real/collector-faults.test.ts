/** Weir and a real Collector when things go wrong: killed, full, refused, too large. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { collector, NO_COLLECTOR } from '../kit/collector.ts'
import { type Destination, type Mood, startDestination } from '../kit/faulty-destination.ts'
import { arrivals, sendNumbered, writeLines } from '../kit/numbered.ts'
import type { Program } from '../kit/program.ts'
import { freePort, until, type WeirProcess, type Workspace, workspace } from '../kit/weir.ts'

const RETRY = 'retry_on_failure: {initial_interval: 20ms, max_interval: 200ms}'
const QUEUE = 'sending_queue: {batch: {min_size: 100, flush_timeout: 20ms}}'
const PROTOCOLS = ['http', 'grpc'] as const
type Protocol = (typeof PROTOCOLS)[number]

interface Scene {
  readonly room: Workspace
  readonly to: Destination
  /** Starts a Collector that is ended with the test. */
  collector(config: string): Promise<Program>
}

async function scene(t: TestContext, mood?: Mood): Promise<Scene> {
  const room = workspace()
  const to = await startDestination(mood)
  const started: Program[] = []
  t.after(async () => {
    await Promise.all(started.map((one) => one.end('SIGKILL')))
    await room.remove()
    await to.close()
  })
  return {
    room,
    to,
    async collector(config) {
      const one = await collector(room.path('collector.yaml'), config)
      started.push(one)
      return one
    },
  }
}

/** Weir as on a node: it follows a file and sends it to the Collector. */
async function agent(room: Workspace, protocol: Protocol, port: number, more = ''): Promise<WeirProcess> {
  writeFileSync(room.path('in.log'), '', { flag: 'a' })
  const [type, tls] = protocol === 'http' ? ['otlp_http', ''] : ['otlp_grpc', 'tls: {insecure: true}, ']
  const weir = room.run(`
receivers: {file_log: {include: ['${room.path('in.log')}'], start_at: beginning, poll_interval: 20ms}}
exporters: {${type}: {endpoint: 'http://127.0.0.1:${port}', ${tls}timeout: 3s, ${RETRY}, ${QUEUE}${more}}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [file_log], exporters: [${type}]}}
`)
  await weir.says(/Everything is ready/)
  return weir
}

/** A Collector between the agent and the destination. */
function between(
  to: Destination,
  protocol: Protocol,
  port: number,
  more: { receiver?: string; exporter?: string; service?: string; processors?: string } = {},
): string {
  const processors = more.processors === undefined ? '' : `processors: {${more.processors}}\n`
  const names = more.processors?.split(':')[0] ?? ''
  return `
receivers: {otlp: {protocols: {${protocol}: {endpoint: '127.0.0.1:${port}'${more.receiver ?? ''}}}}}
${processors}exporters: {otlp_http: {endpoint: '${to.url}', ${more.exporter ?? 'sending_queue: {enabled: false}'}}}
${more.service ?? ''}
service:
  ${more.service === undefined ? '' : 'extensions: [file_storage]'}
  pipelines: {logs: {receivers: [otlp], processors: [${names}], exporters: [otlp_http]}}
`
}

for (const protocol of PROTOCOLS) {
  for (const queue of ['none', 'on disk'] as const) {
    test(`a Collector that is killed again and again loses nothing of ${protocol} (its queue: ${queue})`, {
      skip: NO_COLLECTOR,
    }, async (t) => {
      const { room, to, ...one } = await scene(t)
      const port = await freePort()
      const config =
        queue === 'none'
          ? between(to, protocol, port)
          : between(to, protocol, port, {
              exporter:
                'sending_queue: {storage: file_storage, block_on_overflow: true}, retry_on_failure: {max_elapsed_time: 0}',
              service: `extensions: {file_storage: {directory: '${room.dir}'}}`,
            })
      let theirs = await one.collector(config)
      const weir = await agent(room, protocol, port)
      const count = 10_000
      const writing = writeLines(room.path('in.log'), { count, ms: 6000 })
      for (let kill = 0; kill < 4; kill++) {
        await sleep(600 + Math.random() * 600)
        await theirs.end('SIGKILL')
        await sleep(Math.random() * 600)
        theirs = await one.collector(config)
      }
      await writing
      const { arrived, duplicates } = await arrivals(to, count)
      t.diagnostic(`${duplicates} duplicates`)
      assert.equal(arrived, count)
      assert.equal((await weir.end()).code, 0)
    })
  }

  test(`a Collector heeds what a full Weir says over ${protocol}, and loses nothing`, {
    skip: NO_COLLECTOR,
  }, async (t) => {
    const { room, to, ...one } = await scene(t, { kind: 'hangs' })
    const [port, door, metrics] = [await freePort(), await freePort(), await freePort()]
    const weir = room.run(`
receivers: {otlp: {protocols: {${protocol}: {endpoint: '127.0.0.1:${port}'}}, admission_timeout: 50ms}}
exporters: {otlp_http: {endpoint: '${to.url}', timeout: 6s, ${RETRY}, ${QUEUE}}}
service:
  memory: {budget: 1MiB}
  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${metrics}}}}}]}}
  pipelines: {logs: {receivers: [otlp], exporters: [otlp_http]}}
`)
    await weir.says(/Everything is ready/)
    const [type, tls] = protocol === 'http' ? ['otlp_http', ''] : ['otlp_grpc', 'tls: {insecure: true}, ']
    const theirs = await one.collector(`
receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:${door}'}}}}
exporters:
  ${type}:
    endpoint: http://127.0.0.1:${port}
    ${tls.replace(', ', '')}
    timeout: 30s
    sending_queue: {queue_size: 100000, num_consumers: 40}
    retry_on_failure: {initial_interval: 10ms, max_interval: 20ms, max_elapsed_time: 0}
service:
  pipelines: {logs: {receivers: [otlp], exporters: [${type}]}}
`)
    const count = 10_000
    await sendNumbered(`http://127.0.0.1:${door}/v1/logs`, { count, padding: 500 })
    const refusals = async (): Promise<number> => {
      const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
      const status = protocol === 'http' ? '429' : 'RESOURCE_EXHAUSTED'
      return Number(
        new RegExp(`^weir_receiver_requests\\w*\\{[^}]*status="${status}"[^}]*\\} (\\d+)`, 'm').exec(text)?.[1] ?? 0,
      )
    }
    await until(async () => (await refusals()) > 0, 'a refusal')
    const [before, ms] = [await refusals(), 4000]
    await sleep(ms)
    const again = (await refusals()) - before
    // Told to come again after one to two seconds, each of 40 consumers asks at most four times; by itself it would ask 60 times.
    assert(again > 0 && again <= 40 * 4, `${again} refusals in ${ms} ms`)
    await to.mood({ kind: 'accepts' })
    const { arrived, duplicates } = await arrivals(to, count, 40_000)
    t.diagnostic(`${again} refusals in ${ms} ms, ${duplicates} duplicates`)
    assert.equal(arrived, count)
    assert.doesNotMatch(theirs.said, /Dropping data|no more retries/)
  })

  test(`a Collector hears over ${protocol} that records are in the dead-letter file, and does not send them again`, {
    skip: NO_COLLECTOR,
  }, async (t) => {
    const { room, to, ...one } = await scene(t, { kind: 'refuses', every: 100 })
    const [port, door] = [await freePort(), await freePort()]
    const weir = room.run(`
receivers: {otlp: {protocols: {${protocol}: {endpoint: '127.0.0.1:${port}'}}}}
exporters: {otlp_http: {endpoint: '${to.url}', ${RETRY}, ${QUEUE}}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [otlp], exporters: [otlp_http]}}
`)
    await weir.says(/Everything is ready/)
    const [type, tls] = protocol === 'http' ? ['otlp_http', ''] : ['otlp_grpc', ', tls: {insecure: true}']
    const theirs = await one.collector(`
receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:${door}'}}}}
exporters: {${type}: {endpoint: 'http://127.0.0.1:${port}'${tls}, sending_queue: {enabled: false}}}
service:
  pipelines: {logs: {receivers: [otlp], exporters: [${type}]}}
`)
    await sendNumbered(`http://127.0.0.1:${door}/v1/logs`, { count: 1000 })
    const { arrived, refused, duplicates } = await arrivals(to, 1000)
    assert.deepEqual({ arrived, refused, duplicates }, { arrived: 990, refused: 10, duplicates: 0 })
    assert.match(theirs.said, /Partial success response.*kept in the dead-letter file/)
    assert.doesNotMatch(theirs.said, /Exporting failed|Dropping data/)
    const letters = room.read('state/dead-letter.jsonl').trim().split('\n')
    assert.equal(letters.length, 10)
  })

  test(`what the destination of a Collector refuses for good is picked out through the Collector over ${protocol}`, {
    skip: NO_COLLECTOR,
  }, async (t) => {
    const { room, to, ...one } = await scene(t, { kind: 'refuses', every: 100 })
    const port = await freePort()
    await one.collector(between(to, protocol, port))
    const weir = await agent(room, protocol, port)
    await writeLines(room.path('in.log'), { count: 1000, ms: 500 })
    const { arrived, refused, duplicates } = await arrivals(to, 1000)
    assert.deepEqual({ arrived, refused, duplicates }, { arrived: 990, refused: 10, duplicates: 0 })
    assert.equal((await weir.end()).code, 0)
    assert.equal(room.read('state/dead-letter.jsonl').trim().split('\n').length, 10)
  })

  test(`what is too large for a Collector over ${protocol} goes in parts`, { skip: NO_COLLECTOR }, async (t) => {
    const { room, to, ...one } = await scene(t)
    const port = await freePort()
    const limit = protocol === 'http' ? ', max_request_body_size: 65536' : ', max_recv_msg_size_mib: 1'
    await one.collector(between(to, protocol, port, { receiver: limit }))
    const count = 4000
    await writeLines(room.path('in.log'), { count, ms: 20, padding: 900 })
    const weir = await agent(room, protocol, port)
    const { arrived, duplicates } = await arrivals(to, count)
    assert.deepEqual({ arrived, duplicates }, { arrived: count, duplicates: 0 })
    assert.equal((await weir.end()).code, 0)
  })

  test(`a Collector that is short of memory is asked again over ${protocol}`, { skip: NO_COLLECTOR }, async (t) => {
    const { room, to, ...one } = await scene(t)
    const port = await freePort()
    const short = await one.collector(
      between(to, protocol, port, {
        processors: 'memory_limiter: {check_interval: 10ms, limit_mib: 2, spike_limit_mib: 1}',
      }),
    )
    const weir = await agent(room, protocol, port)
    await sleep(100)
    const count = 2000
    await writeLines(room.path('in.log'), { count, ms: 500 })
    await weir.says(/the destination answered (503|UNAVAILABLE)/)
    assert.equal((await to.report()).arrived, 0)
    await short.end()
    await one.collector(between(to, protocol, port))
    const { arrived } = await arrivals(to, count)
    assert.equal(arrived, count)
    assert.equal((await weir.end()).code, 0)
  })
}

test('a Collector that closes gRPC connections all the time loses and doubles nothing', {
  skip: NO_COLLECTOR,
}, async (t) => {
  const { room, to, ...one } = await scene(t)
  const port = await freePort()
  const age = ', keepalive: {server_parameters: {max_connection_age: 300ms, max_connection_age_grace: 5s}}'
  await one.collector(between(to, 'grpc', port, { receiver: age }))
  const weir = await agent(room, 'grpc', port)
  const count = 10_000
  await writeLines(room.path('in.log'), { count, ms: 4000 })
  const { arrived, duplicates } = await arrivals(to, count)
  assert.deepEqual({ arrived, duplicates }, { arrived: count, duplicates: 0 })
  assert.doesNotMatch(weir.stderr, /unhealthy|permanent/)
  assert.equal((await weir.end()).code, 0)
})
