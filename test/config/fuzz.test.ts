import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDocument, type YAMLMap } from 'yaml'
import { formatProblem } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { resolvedConfig } from '../../src/config/resolved.ts'
import { registry } from './registry.ts'

const SEED_TEXT = `receivers:
  filelog/a: &base
    include: ["/var/log/*.log", "\${env:GLOB}"]
    poll_interval: 250ms
    multiline: {line_start_pattern: '^\\d+'}
    resource: {team: "\${env:TEAM:-none}", cost: $$5}
  file_log/b:
    <<: *base
    max_log_size: 64KiB
    storage: health_check
  push:
    protocols: {grpc: , http: {port: 4318}}
processors:
  filter:
    conditions:
      - {op: equals, attribute: a, value: "1"}
      - {op: below, attribute: b, limit: 3}
exporters:
  otlp_http:
    endpoint: https://user:pass@example.com:4318
    headers: {authorization: Bearer hunter2-hunter2}
    auth: {user: me, password: swordfish-swordfish}
    timeout: \${env:TIMEOUT}
  stdout:
    format: json
connectors:
  forward:
extensions:
  healthcheck: {endpoint: "0.0.0.0:13133"}
service:
  extensions: [health_check]
  shutdown_timeout: 10s
  telemetry: {logs: {level: warn}, resource: {a: b, service.instance.id: }}
  pipelines:
    logs: {receivers: [filelog/a, push], processors: [filter], exporters: [forward, stdout]}
    logs/out: {receivers: [forward, file_log/b], exporters: [otlphttp]}
`
const ENV = { GLOB: '/tmp/*', TIMEOUT: '5s', PORT: '80' }
const TOKENS = [
  ...[
    '${',
    '}',
    '$$',
    '${env:',
    '${file:/dev/null}',
    '${file:.}',
    '${yaml:[1, {a: b}]}',
    '${env:GLOB}',
    '${PORT}',
    '${x y}',
  ],
  ...[
    '{',
    '[',
    ']',
    ',',
    ': ',
    '- ',
    '\n',
    '  ',
    '\t',
    '#',
    '"',
    "'",
    '|\n',
    '>',
    '---\n',
    '...',
    '%',
    '!',
    '!!binary ',
    '?',
  ],
  ...[
    '&a ',
    '*a',
    '*base',
    '<<: *base',
    '~',
    'null',
    '5',
    '-1',
    '1e999',
    '.nan',
    'true',
    '2001-01-01',
    '0x1F',
    '\u0000',
    'é',
    '💥',
  ],
  ...[
    '__proto__',
    'constructor',
    'hasOwnProperty',
    '::',
    '/',
    'filelog',
    'forward',
    'logs/out',
    'receivers:\n',
    'service: ',
  ],
] as const

/** mulberry32 */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

function mutated(text: string, next: () => number): string {
  const pick = (below: number): number => Math.floor(next() * below)
  const at = pick(text.length + 1)
  const length = pick(12)
  const lines = text.split('\n')
  switch (pick(5)) {
    case 0:
      return text.slice(0, at) + TOKENS[pick(TOKENS.length)] + text.slice(at)
    case 1:
      return text.slice(0, at) + text.slice(at + length)
    case 2:
      return text.slice(0, at) + TOKENS[pick(TOKENS.length)] + text.slice(at + length)
    case 3:
      lines.splice(pick(lines.length), 1, lines[pick(lines.length)] as string)
      return lines.join('\n')
    default:
      lines.splice(pick(lines.length), 0, lines[pick(lines.length)] as string)
      return lines.join('\n')
  }
}

/** True while the secrets are where the schema knows them, and nowhere else. */
function holdsSecrets(text: string): boolean {
  if (text.match(/hunter2-hunter2|swordfish-swordfish/g)?.length !== 2) return false
  const { otlp_http: exporter } =
    (parseDocument(text, { logLevel: 'silent' }).getIn(['exporters'], true) as YAMLMap)?.toJSON?.() ?? {}
  return (
    exporter?.headers?.authorization === 'Bearer hunter2-hunter2' && exporter?.auth?.password === 'swordfish-swordfish'
  )
}

const load = (text: string, sets: string[] = []) =>
  loadConfig({ configs: [`yaml:${text}`], sets, cwd: '/nonexistent' }, registry, ENV)

test('the text that is mutated is itself valid', () => {
  assert.deepEqual(load(SEED_TEXT).errors, [])
})

test('whatever is done to a configuration, the result is a configuration or errors with a place, and no secret is told', () => {
  const next = random(20_240_817)
  let valid = 0
  let safe = 0
  for (let round = 0; round < 1500; round++) {
    let text = SEED_TEXT
    for (let times = next() < 0.6 ? 1 : 4; times > 0; times--) text = mutated(text, next)
    const sets = next() < 0.1 ? [`${mutated('exporters.stdout.format', next)}=${mutated('json', next)}`] : []
    const { config, errors, warnings } = load(text, sets)
    assert.equal(config === undefined, errors.length > 0, text)
    for (const problem of [...errors, ...warnings]) {
      const { position, message } = problem
      assert.ok(position.source.startsWith('--'), `${position.source}\n${text}`)
      assert.ok(
        position.source.startsWith('--set') || (position.line > 0 && position.column > 0),
        `${message}\n${text}`,
      )
      assert.ok(message.length > 1, text)
      assert.doesNotMatch(formatProblem(problem), /\p{Cc}/u)
    }
    const isMangled = !holdsSecrets(text)
    if (!isMangled) assert.doesNotMatch(JSON.stringify([errors, warnings]), /hunter2-hunter2|swordfish-swordfish/, text)
    if (!isMangled) safe += 1
    if (config === undefined) continue
    valid += 1
    const printed = JSON.stringify(resolvedConfig(config, { redact: true }))
    if (!isMangled) assert.doesNotMatch(printed, /hunter2-hunter2|swordfish-swordfish/, text)
  }
  assert.ok(safe > 500, `only ${safe} mutants still held their secrets`)
  assert.ok(valid > 50, `only ${valid} mutants were valid: the others don't test what comes after reading`)
})

test('what print-config shows unredacted means the same when it is read again', () => {
  const next = random(7)
  let read = 0
  for (let round = 0; round < 400; round++) {
    const { config } = load(mutated(SEED_TEXT, next))
    if (config === undefined) continue
    const printed = resolvedConfig(config, { redact: false })
    const again = load(JSON.stringify(printed))
    assert.deepEqual(again.errors, [])
    assert.deepEqual(resolvedConfig(again.config as never, { redact: false }), printed)
    for (const [id, { config: parsed }] of config.exporters)
      assert.deepEqual(again.config?.exporters.get(id)?.config, parsed)
    read += 1
  }
  assert.ok(read > 50)
})
