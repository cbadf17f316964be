/** Records of every kind between Weir and a real Collector, in both directions and every encoding that both speak. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { collector, NO_COLLECTOR } from '../kit/collector.ts'
import { comparable, EVERY_KIND, THROUGH_WEIR } from '../kit/every-kind.ts'
import type { Program } from '../kit/program.ts'
import { freePort, until, workspace } from '../kit/weir.ts'

const TLS = join(import.meta.dirname, '../kit/tls')
const SERVER_TLS = `{cert_file: '${TLS}/cert.pem', key_file: '${TLS}/key.pem'}`
const CLIENT_TLS = `{ca_file: '${TLS}/cert.pem'}`

interface Way {
  readonly name: string
  readonly protocol: 'grpc' | 'http'
  readonly isSecure?: boolean
  /** Keys of the exporter. */
  readonly keys: string
}

const ports = (ways: readonly Way[]): Promise<number[]> => Promise.all(ways.map(() => freePort()))

/** `otlp/N` for every way, and a pipeline from it to `file/N`. */
function receivers(ways: readonly Way[], at: readonly number[]): string {
  return ways
    .map(({ protocol, isSecure }, i) => {
      const tls = isSecure === true ? `, tls: ${SERVER_TLS}` : ''
      return `  otlp/${i}: {protocols: {${protocol}: {endpoint: 'localhost:${at[i]}'${tls}}}}`
    })
    .join('\n')
}

/** The exporters have the same names on both sides. */
const typeOf = ({ protocol }: Way): string => `otlp_${protocol}`

/** An exporter for every way to the port of its receiver. */
function exporters(ways: readonly Way[], at: readonly number[]): string {
  return ways
    .map((way, i) => {
      const { protocol, isSecure, keys } = way
      const scheme = isSecure === true ? 'https' : 'http'
      const plain = protocol === 'grpc' ? ', tls: {insecure: true}' : ''
      const tls = isSecure === true ? `, tls: ${CLIENT_TLS}` : plain
      return `  ${typeOf(way)}/${i}: {endpoint: '${scheme}://localhost:${at[i]}'${tls}, ${keys}}`
    })
    .join('\n')
}

function pipelines(ways: readonly Way[]): string {
  return ways.map((_, i) => `    logs/${i}: {receivers: [otlp/${i}], exporters: [file/${i}]}`).join('\n')
}

async function send(port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(EVERY_KIND),
  })
  assert.equal(response.status, 200, await response.text())
}

/** Waits until all of it is in the file, and compares. */
async function arrives(path: string, name: string): Promise<void> {
  const read = (): string[] => {
    if (!existsSync(path)) return []
    const lines = readFileSync(path, 'utf8').split('\n')
    return comparable(lines.slice(0, -1).map((line) => JSON.parse(line)))
  }
  await until(() => read().length >= THROUGH_WEIR.length, `the records of "${name}"`)
  assert.deepEqual(
    read().map((line) => JSON.parse(line)),
    THROUGH_WEIR.map((line) => JSON.parse(line)),
    name,
  )
}

test('what Weir sends is what a Collector receives, by every way that both speak', {
  skip: NO_COLLECTOR,
}, async (t) => {
  const room = workspace()
  let theirs: Program | undefined
  t.after(async () => {
    await theirs?.end()
    await room.remove()
  })
  const ways: Way[] = [
    ...['proto', 'json'].flatMap((encoding) =>
      ['none', 'gzip', 'zstd'].map((compression) => {
        const keys = `encoding: ${encoding}, compression: ${compression}`
        return { name: `HTTP, ${keys}`, protocol: 'http', keys } as const
      }),
    ),
    { name: 'HTTP over TLS', protocol: 'http', isSecure: true, keys: 'compression: gzip' },
    { name: 'gRPC, gzip', protocol: 'grpc', keys: 'compression: gzip' },
    { name: 'gRPC, none', protocol: 'grpc', keys: 'compression: none' },
    { name: 'gRPC over TLS', protocol: 'grpc', isSecure: true, keys: 'compression: gzip' },
  ]
  const at = await ports(ways)
  const files = ways.map((_, i) => `  file/${i}: {path: '${room.path(`there-${i}.jsonl`)}', flush_interval: 50ms}`)
  theirs = await collector(
    room.path('collector.yaml'),
    `receivers:\n${receivers(ways, at)}\nexporters:\n${files.join('\n')}\nservice:\n  pipelines:\n${pipelines(ways)}\n`,
  )
  const door = await freePort()
  const weir = room.run(`
receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:${door}'}}}}
exporters:
${exporters(ways, at)}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [otlp], exporters: [${ways.map((way, i) => `${typeOf(way)}/${i}`).join(', ')}]}}
`)
  await weir.says(/Everything is ready/)
  await send(door)
  for (const [i, { name }] of ways.entries()) await arrives(room.path(`there-${i}.jsonl`), name)
  assert.equal((await weir.end()).code, 0)
  assert.doesNotMatch(weir.stderr, /answered|refused/)
})

test('what a Collector sends is what Weir receives, by every way that both speak', {
  skip: NO_COLLECTOR,
}, async (t) => {
  const room = workspace()
  let theirs: Program | undefined
  t.after(async () => {
    await theirs?.end()
    await room.remove()
  })
  const queue = 'sending_queue: {enabled: false}'
  const ways: Way[] = [
    ...['proto', 'json'].flatMap((encoding) =>
      ['none', 'gzip', 'zstd', 'zlib', 'deflate'].map((compression) => {
        const keys = `encoding: ${encoding}, compression: ${compression}, ${queue}`
        return { name: `HTTP, ${keys}`, protocol: 'http', keys } as const
      }),
    ),
    { name: 'HTTP over TLS', protocol: 'http', isSecure: true, keys: `compression: gzip, ${queue}` },
    { name: 'gRPC, gzip', protocol: 'grpc', keys: `compression: gzip, ${queue}` },
    { name: 'gRPC, none', protocol: 'grpc', keys: `compression: none, ${queue}` },
    { name: 'gRPC over TLS', protocol: 'grpc', isSecure: true, keys: `compression: gzip, ${queue}` },
  ]
  const at = await ports(ways)
  const files = ways.map((_, i) => `  file/${i}: {path: '${room.path(`here-${i}.jsonl`)}', format: otlp_json}`)
  const weir = room.run(
    `receivers:\n${receivers(ways, at)}\nexporters:\n${files.join('\n')}
service:\n  telemetry: {metrics: {level: none}}\n  pipelines:\n${pipelines(ways)}\n`,
  )
  await weir.says(/Everything is ready/)
  const door = await freePort()
  theirs = await collector(
    room.path('collector.yaml'),
    `receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:${door}'}}}}
exporters:
${exporters(ways, at)}
service:
  pipelines: {logs: {receivers: [otlp], exporters: [${ways.map((way, i) => `${typeOf(way)}/${i}`).join(', ')}]}}
`,
  )
  await send(door)
  for (const [i, { name }] of ways.entries()) await arrives(room.path(`here-${i}.jsonl`), name)
  assert.doesNotMatch(theirs.said, /Exporting failed|\terror\t/)
})

test('a Collector hears which compressions Weir does not take', { skip: NO_COLLECTOR }, async (t) => {
  const room = workspace()
  let theirs: Program | undefined
  t.after(async () => {
    await theirs?.end()
    await room.remove()
  })
  const ways: Way[] = [
    ...['snappy', 'x-snappy-framed', 'lz4'].map(
      (name) => ({ name, protocol: 'http', keys: `compression: ${name}` }) as const,
    ),
    ...['snappy', 'zstd'].map((name) => ({ name, protocol: 'grpc', keys: `compression: ${name}` }) as const),
  ]
  const at = await ports(ways)
  const files = ways.map((_, i) => `  file/${i}: {path: '${room.path(`here-${i}.jsonl`)}'}`)
  const weir = room.run(
    `receivers:\n${receivers(ways, at)}\nexporters:\n${files.join('\n')}
service:\n  telemetry: {metrics: {level: none}}\n  pipelines:\n${pipelines(ways)}\n`,
  )
  await weir.says(/Everything is ready/)
  const door = await freePort()
  theirs = await collector(
    room.path('collector.yaml'),
    `receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:${door}'}}}}
exporters:
${exporters(ways, at)}
service:
  pipelines: {logs: {receivers: [otlp], exporters: [${ways.map((way, i) => `${typeOf(way)}/${i}`).join(', ')}]}}
`,
  )
  await send(door)
  for (const [i, way] of ways.entries()) {
    const why =
      way.protocol === 'http'
        ? 'responded with HTTP Status Code 415, Message=this content encoding is not accepted here'
        : 'Unimplemented.*unsupported encoding'
    await theirs.says(new RegExp(`Exporting failed.*"${typeOf(way)}/${i}".*${why}`))
  }
})
