/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: expansions are what is tested. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load, loadExporter, loadText, VALID } from './kit.ts'

/** The parsed configuration of the exporter that stands in `yaml`. */
function exporter(yaml: string, env: Record<string, string> = {}): Record<string, unknown> {
  const { config, said } = loadExporter(`endpoint: https://x.example\n${yaml}`, { env })
  assert.deepEqual(said, [])
  return config?.exporters.get('otlp_http')?.config as Record<string, unknown>
}

const header = (yaml: string, env: Record<string, string> = {}): unknown =>
  (exporter(`headers: {h: ${yaml}}`, env)['headers'] as Record<string, unknown>)['h']

const texts: readonly { name: string; yaml: string; env?: Record<string, string>; text: string | undefined }[] = [
  { name: 'digits stay as they are in a string field', yaml: '"${env:X}"', env: { X: '0123' }, text: '0123' },
  { name: 'a boolean stays text in a string field', yaml: '"${env:X}"', env: { X: 'yes' }, text: 'yes' },
  {
    name: 'what looks like a map stays text in a string field',
    yaml: '"${env:X}"',
    env: { X: '{a: 1}' },
    text: '{a: 1}',
  },
  { name: 'what is no YAML stays text', yaml: '"${env:X}"', env: { X: '"half' }, text: '"half' },
  { name: 'quotes in a variable are part of it', yaml: '"${env:X}"', env: { X: '"q"' }, text: '"q"' },
  { name: 'a name without a scheme is a variable', yaml: '"${X}"', env: { X: 'v' }, text: 'v' },
  { name: 'text around an expansion is kept', yaml: '"Bearer ${env:X}!"', env: { X: '007' }, text: 'Bearer 007!' },
  { name: 'two expansions in one text', yaml: '"${A}-${B}"', env: { A: '1', B: '2' }, text: '1-2' },
  { name: 'a default is used for a variable that is not set', yaml: '"${env:X:-dflt}"', text: 'dflt' },
  { name: 'a default is used without a scheme too', yaml: '"${X:-dflt}"', text: 'dflt' },
  { name: 'a default may hold colons and dashes', yaml: '"${env:X:-a:-b:c}"', text: 'a:-b:c' },
  { name: 'an empty default is an empty string', yaml: '"${env:X:-}"', text: '' },
  { name: 'an empty variable is an empty string where text is wanted', yaml: '"${env:X}"', env: { X: '' }, text: '' },
  {
    name: 'a set variable does not look at its default',
    yaml: '"${env:X:-${file:/none}}"',
    env: { X: 'v' },
    text: 'v',
  },
  { name: 'the name may be an expansion', yaml: '"${env:${env:N}}"', env: { N: 'X', X: 'v' }, text: 'v' },
  { name: 'a variable may hold an expansion', yaml: '"${env:A}"', env: { A: '<${env:B}>', B: 'v' }, text: '<v>' },
  { name: 'two dollars are one', yaml: '"a$$b"', text: 'a$b' },
  { name: 'two dollars keep an expansion as it is', yaml: '"$${env:X}"', text: '${env:X}' },
  { name: 'three dollars are one and an expansion', yaml: '"$$${env:X}"', env: { X: 'v' }, text: '$v' },
  { name: 'a lone dollar is itself', yaml: '"a$b$"', text: 'a$b$' },
  {
    name: 'dollars in a variable are not ours to change',
    yaml: '"${env:X}"',
    env: { X: 'pa$$word$' },
    text: 'pa$$word$',
  },
  { name: 'half an expansion in a variable is text', yaml: '"${env:X}"', env: { X: 'a${b' }, text: 'a${b' },
  { name: 'yaml text is text in a string field', yaml: '"${yaml:0123}"', text: '0123' },
  { name: 'an unset variable leaves the key without a value', yaml: '"${env:X}"', text: undefined },
]
for (const { name, yaml, env, text } of texts) {
  test(name, () => assert.equal(header(yaml, env), text))
}

test('a value that is solely an expansion takes the type that its text has', () => {
  const { tls, headers, compression } = exporter(
    'tls: {insecure: "${env:B}"}\nheaders: ${env:H}\ncompression: "${env:C:-zstd}"',
    { B: 'true', H: '{a: b, c: "${D}"}', D: 'e' },
  )
  assert.deepEqual(tls, { insecure: true })
  assert.deepEqual({ ...(headers as object) }, { a: 'b', c: 'e' })
  assert.equal(compression, 'zstd')
})

test('inside longer text nothing has a type', () => {
  assert.deepEqual(
    loadExporter('endpoint: https://x.example\ntls: {insecure: "${env:A}ue"}', { env: { A: 'tr' } }).said,
    ['a.yaml:4:21: exporters::otlp_http::tls::insecure: expected true or false, found "true" (from ${env:A})'],
  )
})

test('a variable that is not set is a warning, and named where its value is missed', () => {
  const { said, warned } = loadText(VALID.replace('[/var/log/*.log]', '["${env:GLOB}"]'))
  assert.deepEqual(said, [
    'a.yaml:3:15: receivers::file_log::include::0: expected a glob, found nothing, because ${env:GLOB} is not set',
  ])
  assert.deepEqual(warned, [
    'a.yaml:3:15: receivers::file_log::include::0: the environment variable GLOB is not set, so this has no value; ${env:GLOB:-…} would give it a default',
  ])
})

test('an error in a value from a variable stands where the variable is used, and names it', () => {
  const { said } = loadExporter('endpoint: https://x.example\ntimeout: ${env:TIMEOUT}\ncompression: ${LEVEL}', {
    env: { TIMEOUT: '5', LEVEL: 'high' },
  })
  assert.deepEqual(said, [
    'a.yaml:4:14: exporters::otlp_http::timeout: expected a duration with a unit, such as 500ms, 5s or 1m30s, found "5" (from ${env:TIMEOUT})',
    'a.yaml:5:18: exporters::otlp_http::compression: expected none, gzip or zstd, found "high" (from ${env:LEVEL})',
  ])
})

test('a variable whose name sounds secret is never quoted', () => {
  const { said } = loadExporter('endpoint: ${env:API_TOKEN}\ntimeout: ${env:DB_PASSWORD}', {
    env: { API_TOKEN: 'tok-1234567', DB_PASSWORD: 'pw-7654321' },
  })
  assert.deepEqual(said, [
    'a.yaml:3:15: exporters::otlp_http::endpoint: expected a URL, found a string (from ${env:API_TOKEN})',
    'a.yaml:4:14: exporters::otlp_http::timeout: expected a duration with a unit, such as 500ms, 5s or 1m30s, found "[REDACTED]" (from ${env:DB_PASSWORD})',
  ])
})

test('a file may hold one value, and its last newline is not part of it', () => {
  const { config } = load({
    files: {
      'a.yaml': `exporters: {otlp_http: {endpoint: "https://x", headers: {h: "\${file:token}", b: "Bearer \${file:token}"}}}\nreceivers: {push: {protocols: {grpc: }}}\nservice: {pipelines: {logs: {receivers: [push], exporters: [otlp_http]}}}\n`,
      token: '0123\n',
    },
    configs: ['a.yaml'],
  })
  const parsed = config?.exporters.get('otlp_http')?.config as { headers: object }
  assert.deepEqual({ ...parsed.headers }, { h: '0123', b: 'Bearer 0123' })
})

test('a file may hold a part of the configuration; mistakes in it have their own place', () => {
  const main = VALID.replace('\n    include: [/var/log/*.log]', ' ${file:parts.yaml}')
  const good = load({
    files: { 'a.yaml': main, 'parts.yaml': 'include: ["$${x}", "${env:G}"]\n' },
    configs: ['a.yaml'],
    env: { G: 'g' },
  })
  const included = good.config?.receivers.get('file_log')?.config as { include: string[] }
  assert.deepEqual(included.include, ['${x}', 'g'])
  const bad = load({ files: { 'a.yaml': main, 'parts.yaml': 'include: [a]\nstart_at: middle\n' }, configs: ['a.yaml'] })
  assert.deepEqual(bad.said, [
    'parts.yaml:2:11: receivers::file_log::start_at: expected beginning or end, found "middle"',
  ])
  const broken = load({ files: { 'a.yaml': main, 'parts.yaml': 'include: [a\nx: y: z\n' }, configs: ['a.yaml'] })
  assert.ok(broken.said.length > 0)
  for (const line of broken.said) assert.match(line, /^parts\.yaml:\d+:\d+: receivers::file_log: YAML syntax: /)
})

const refused: readonly { name: string; value: string; env?: Record<string, string>; said: RegExp }[] = [
  { name: 'an expansion without an end', value: '"a${env:X"', said: /a "\$\{" has no "\}"; write "\$\$\{"/ },
  {
    name: 'a name that no variable has',
    value: '"${env:a-b}"',
    said: /environment variable "a-b" has invalid name: must match regex/,
  },
  {
    name: 'a scheme that is not known',
    value: '"${vault:x}"',
    said: /scheme "vault" is not supported for uri "vault:x"/,
  },
  { name: 'configuration over http', value: '"${https://x.example/a}"', said: /configuration over http is refused/ },
  { name: 'a file that is not there', value: '"${file:nope}"', said: /cannot read nope: there is no such file/ },
  { name: 'a directory', value: '"${file:.}"', said: /this is a directory/ },
  {
    name: 'a variable that holds itself',
    value: '"${env:A}"',
    env: { A: '${env:A}' },
    said: /expansions refer to each other more than 20 deep; the last one is in \$\{env:A\}/,
  },
  {
    name: 'a variable that multiplies itself',
    value: '"${env:A}"',
    env: { A: '${env:A}${env:A}' },
    said: /expansions refer to each other|too many expansions/,
  },
]
for (const { name, value, env = {}, said } of refused) {
  test(`${name} is refused with a sentence, at its place, and nothing else is said`, () => {
    const loaded = loadExporter(`endpoint: ${value}`, { env })
    assert.equal(loaded.said.length, 1, loaded.said.join('\n'))
    assert.match(loaded.said[0] as string, /^a\.yaml:3:15: exporters::otlp_http::endpoint: /)
    assert.match(loaded.said[0] as string, said)
  })
}

test('a file that includes itself ends in an error', () => {
  const { said } = load({ files: { 'a.yaml': 'receivers: ${file:a.yaml}\n' } })
  assert.match(said.join('\n'), /^a\.yaml:1:12: (receivers::){20,}receivers: expansions refer to each other/m)
})
