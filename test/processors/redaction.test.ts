import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { suite, test } from 'node:test'
import { Subject } from 'rxjs'
import { auditLines } from '../../bench/audit/generate.ts'
import { redaction } from '../../processors/redaction/index.ts'
import { createAuditDecoder, emptyDecoded } from '../../src/audit/decode.ts'
import { defaultAuditOptions } from '../../src/audit/options.ts'
import { DELIVERED } from '../../src/flow/ack.ts'
import type { Batch } from '../../src/flow/batch.ts'
import { internResource, internScope } from '../../src/records/interning.ts'
import { type AnyValue, copyRecord, type LogRecord } from '../../src/records/record.ts'
import { DETECTOR_NAMES } from '../../src/redaction/detectors.ts'
import { type TestContext, testContext } from '../kit/context.ts'
import { processorContract } from '../kit/contract.ts'
import { record, tracked } from '../kit/records.ts'
import { createRandom, SECRETS, type Secret } from './secrets.ts'

processorContract(redaction)

type Config = Parameters<typeof redaction.config.parse>[0]

/** What becomes of records, and what was counted. */
function redact(config: Config, records: LogRecord[], context: TestContext = testContext()): LogRecord[] {
  const source = new Subject<Batch>()
  const out: LogRecord[] = []
  source.pipe(redaction.create(redaction.config.parse(config), context).operator()).subscribe((batch) => {
    out.push(...batch.records)
    batch.ack.settle(DELIVERED)
  })
  source.next(tracked(...records))
  assert.equal(out.length, records.length)
  assert.deepEqual(context.lostBy, {})
  return out
}

const one = (config: Config, given: LogRecord, context?: TestContext): LogRecord =>
  redact(config, [given], context)[0] as LogRecord
const ALL = { allow_all_keys: true } as const
const value = (config: object, text: AnyValue): AnyValue =>
  one({ ...ALL, ...config }, record({ a: text })).attributes['a']
const JWT = `${'ey'}JhbGciOiJSUzI1NiJ9.${'ey'}JzdWIiOiJjaSJ9.c2lnbmF0dXJl`

suite('typed detectors', () => {
  const cases: [name: string, text: string, expected: string][] = [
    ['a web token', `got ${JWT}, thanks`, 'got [REDACTED:jwt], thanks'],
    ['a web token that was cut', JWT.slice(0, 30), '[REDACTED:jwt]'],
    ['a web token glued to a word', `x${JWT}`, 'x[REDACTED:jwt]'],
    ['a continue token is none', `?continue=${JWT.slice(0, 20)}`, `?continue=${JWT.slice(0, 20)}`],
    ['a bearer token', 'Authorization: Bearer abcdef0123456789', 'Authorization: Bearer [REDACTED:bearer_token]'],
    ['bearer as a word', 'the bearer authentication failed', 'the bearer authentication failed'],
    ['a basic credential', 'basic YWxpY2U6czNjcmV0', 'basic [REDACTED:basic_auth]'],
    ['basic as a word', 'basic authentication is off', 'basic authentication is off'],
    ['an unknown scheme', 'authorization=ApiKey abc123def456', 'authorization=ApiKey [REDACTED:authorization]'],
    ['a group of the API', 'authorization.k8s.io/v1', 'authorization.k8s.io/v1'],
    ['a password in a URL', 'redis://:hunter2@cache:6379/0', 'redis://:[REDACTED:url_password]@cache:6379/0'],
    ['a port in a URL', 'https://host:8443/a@b https://h:443#x@y', 'https://host:8443/a@b https://h:443#x@y'],
    ['a card', 'paid with 4111 1111 1111 1111 today', 'paid with [REDACTED:credit_card] today'],
    ['a card after other digits', '1234 4111 1111 1111 1111', '1234 [REDACTED:credit_card]'],
    ['an American card', '3782-822463-10005', '[REDACTED:credit_card]'],
    ['digits with a wrong check digit', '4111111111111112', '4111111111111112'],
    ['nanoseconds since 1970', '1700000000000000003', '1700000000000000003'],
    ['an id', '4111111e-1111-1111-8111-111111111111', '4111111e-1111-1111-8111-111111111111'],
    ['an assignment', 'PGPASSWORD=hunter2 psql', 'PGPASSWORD=[REDACTED:password] psql'],
    ['an argument', 'login --client-secret "two words" -v', 'login --client-secret "[REDACTED:password]" -v'],
    ['a member of JSON', '{"token":"a b\\"c","n":1}', '{"token":"[REDACTED:password]","n":1}'],
    [
      'a member of JSON in JSON',
      '{\\"token\\":\\"a b\\",\\"n\\":1}',
      '{\\"token\\":\\"[REDACTED:password]\\",\\"n\\":1}',
    ],
    ['a switch', 'automountServiceAccountToken=true', 'automountServiceAccountToken=true'],
    ['the working directory', 'PWD=/home/alice', 'PWD=/home/alice'],
    ['a key of several lines', `-----BEGIN PRIVATE ${'KEY'}-----\nabc\ndef`, '[REDACTED:private_key]'],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nabc', '-----BEGIN CERTIFICATE-----\nabc'],
    ['a percent-encoded key id', `q%3D${'AK'}IAIOSFODNN7EXAMPLE`, 'q%3D[REDACTED:aws_access_key]'],
  ]
  for (const [name, text, expected] of cases) test(name, () => assert.equal(value({}, text), expected))

  test('each finds its own secrets, in any company, and finds nothing twice', () => {
    const random = createRandom(3)
    for (const name of DETECTOR_NAMES) {
      const make = SECRETS[name]
      assert(make, `test/processors/secrets.ts makes no ${name}`)
      for (let i = 0; i < 100; i++) {
        const secret: Secret = make(random)
        const lead = random.pick(['', 'x=', 'see ', '"', '\n', '(', '\t', ': '])
        const tail = random.pick(['', ' and more', '"', '\n', ',', ')', ' '])
        const clean = value({ detectors: [name] }, lead + secret.shown + tail) as string
        assert(!clean.includes(secret.hidden), `${name}: ${lead + secret.shown + tail} -> ${clean}`)
        assert(clean.includes(`[REDACTED:${name}]`), clean)
        assert.equal(value({ detectors: [name] }, clean), clean, 'a second time changes nothing')
      }
    }
  })

  test('the log of a cluster has nothing to hide but what an attacker left there', () => {
    const decoder = createAuditDecoder(defaultAuditOptions({ default_ignores: false }))
    const into = emptyDecoded()
    for (const line of auditLines({ events: 2000, seed: 5 })) decoder.line(line, [1_800_000_000, 0], into)
    assert(into.records.length > 1000)
    const before = into.records.map((each) => JSON.stringify([each.body, each.attributes]))
    const context = testContext()
    const after = redact(ALL, into.records, context).map((each) => JSON.stringify([each.body, each.attributes]))
    assert.deepEqual(after, before)
    assert.deepEqual(context.counts, {})
  })

  test('those that are not listed are off', () => {
    assert.equal(value({ detectors: [] }, JWT), JWT)
    assert.equal(value({ detectors: ['email'] }, `${JWT} a@b.example`), `${JWT} [REDACTED:email]`)
    assert.equal(value({}, 'a@b.example 10.0.0.1'), 'a@b.example 10.0.0.1')
  })
})

/** Puts `secret` somewhere into a record. */
function plant(random: ReturnType<typeof createRandom>, secret: string): LogRecord {
  const noise = (): AnyValue =>
    random.pick<AnyValue>(['kube-system', 3, true, '/api/v1/pods?watch=true', null, ['a'], {}])
  let nested: AnyValue = secret
  for (let depth = random.below(8); depth > 0; depth--) {
    nested = random.chance(0.5)
      ? [noise(), nested, noise()]
      : random.chance(0.1)
        ? { [secret]: noise() }
        : { before: noise(), [random.suffix(5)]: nested, after: noise() }
  }
  const somewhere: (() => LogRecord)[] = [
    () => record({ first: noise(), second: nested, third: noise() }),
    () => record({ [`header.${secret}`]: 'x' }),
    () => record({}, { body: nested }),
    () => record({}, { body: `said: ${secret}` }),
    () => record({}, { resource: internResource({ 'host.name': 'n', note: nested }) }),
    () => record({}, { resource: internResource({ [secret]: 1 }) }),
    () => record({}, { eventName: secret }),
    () => record({}, { severityText: secret }),
    () => record({}, { instrumentationScope: internScope(secret, '1') }),
    () => record({}, { instrumentationScope: internScope('lib', secret) }),
    () => record({ bytes: new TextEncoder().encode(secret) as unknown as AnyValue }),
  ]
  return random.pick(somewhere)()
}

function allOf({ resource, instrumentationScope, ...rest }: LogRecord): string {
  const bytes = (_: string, each: unknown): unknown =>
    each instanceof Uint8Array ? Buffer.from(each).toString() : each
  return JSON.stringify({ ...rest, resource: resource.attributes, instrumentationScope }, bytes)
}

test('a secret that is anywhere in a record is nowhere behind redaction', () => {
  const random = createRandom(11)
  for (let i = 0; i < 4000; i++) {
    const { shown, hidden }: Secret = (SECRETS[random.pick(DETECTOR_NAMES)] as (typeof SECRETS)[string])(random)
    const given = plant(random, shown)
    const original = structuredClone(given.attributes)
    const copy = copyRecord(given)
    const escaped = JSON.stringify(hidden).slice(1, -1)
    const summary = random.pick(['silent', 'info', 'debug'] as const)
    const seen = allOf(one({ ...ALL, detectors: DETECTOR_NAMES, summary }, copy))
    assert(!seen.includes(escaped), `seed 11, number ${i}: ${hidden} in ${seen}`)
    assert.deepEqual(given.attributes, original, 'what another pipeline shares is not changed')
  }
})

suite('the lists of the Collector', () => {
  test('only allowed keys stay; an empty list removes all', () => {
    const given = (): LogRecord => record({ a: 1, b: 2 }, { body: { a: { c: 1, a: 2 }, d: 1 } })
    const kept = one({ allowed_keys: ['a'] }, given())
    assert.deepEqual([kept.attributes, kept.body], [{ a: 1 }, { a: { a: 2 } }])
    assert.deepEqual(one({ allowed_keys: [] }, given()).attributes, {})
  })

  test('a configuration that would remove everything without saying so is refused', () => {
    assert.throws(() => redaction.config.parse({}), /allow_all_keys: true/)
  })

  test('what an allowed attribute holds is not cut, only looked through', () => {
    const kept = one({ allowed_keys: ['a'] }, record({ a: { inner: [JWT, 'x'] } }))
    assert.deepEqual(kept.attributes, { a: { inner: ['[REDACTED:jwt]', 'x'] } })
  })

  test('ignored keys and patterns pass without a look, even when they are not allowed', () => {
    const config = {
      allowed_keys: [],
      ignored_keys: ['a'],
      ignored_key_patterns: ['^safe\\.'],
      summary: 'info',
    } as const
    const kept = one(config, record({ a: JWT, 'safe.x': JWT, b: 1 })).attributes
    assert.deepEqual(kept, {
      a: JWT,
      'safe.x': JWT,
      'redaction.redacted.count': 1,
      'redaction.ignored.count': 2,
    })
  })

  test('the matching parts of blocked values are masked', () => {
    const config = { blocked_values: ['\\d{3}-\\d{2}-\\d{4}', '(?i)secret'] }
    assert.equal(value(config, 'ssn 123-45-6789, Secret SECRET'), 'ssn ****, **** ****')
    assert.equal(value(config, 'nothing'), 'nothing')
    assert.equal(value({ blocked_values: ['x*'] }, 'abc'), 'abc')
    assert.equal(value(config, 7), 7)
  })

  test('blocked keys are masked whole, whatever they hold', () => {
    const config = { blocked_key_patterns: ['(?i).*token.*'] }
    const given = record({ myToken: 'abc', token_count: 3, tokens: ['a'], other: { token: 'x', n: 1 } })
    assert.deepEqual(one({ ...ALL, ...config }, given).attributes, {
      myToken: '****',
      token_count: '****',
      tokens: '****',
      other: { token: '****', n: 1 },
    })
  })

  test('allowed values win over blocked ones, and spare a detector only what itself is allowed', () => {
    const config = { blocked_values: ['.+'], allowed_values: ['@mycompany\\.com$'], blocked_key_patterns: ['^a$'] }
    assert.equal(value(config, 'bob@mycompany.com'), 'bob@mycompany.com')
    assert.equal(value(config, 'bob@other.com'), '****')
    assert.equal(value(config, `${JWT} bob@mycompany.com`), '[REDACTED:jwt] bob@mycompany.com')
    assert.equal(
      value({ detectors: ['email'], allowed_values: ['@mycompany\\.com$'] }, 'x@mycompany.com y@z.example'),
      'x@mycompany.com [REDACTED:email]',
    )
  })

  test('numbers are looked at with redact_all_types only', () => {
    assert.equal(value({}, 4_111_111_111_111_111), 4_111_111_111_111_111)
    assert.equal(value({ redact_all_types: true }, 4_111_111_111_111_111), '[REDACTED:credit_card]')
    assert.equal(value({ redact_all_types: true, blocked_values: ['^true$'] }, true), '****')
    assert.equal(value({ redact_all_types: true }, 5), 5)
  })

  test('hashes are those of the Collector', () => {
    const hash = (hash_function: string, more = {}): AnyValue =>
      value({ blocked_values: ['b+'], hash_function, ...more }, 'abbba')
    for (const [name, algorithm] of [
      ['md5', 'md5'],
      ['sha1', 'sha1'],
      ['sha3', 'sha3-256'],
    ] as const) {
      assert.equal(hash(name), `a${createHash(algorithm).update('bbb').digest('hex')}a`)
    }
    const hmac_key = 'k'.repeat(64)
    for (const name of ['sha256', 'sha512']) {
      assert.equal(hash(`hmac-${name}`, { hmac_key }), `a${createHmac(name, hmac_key).update('bbb').digest('hex')}a`)
    }
  })

  test('a keyed hash tells equal tokens apart from others, a plain one is not put beside what a detector found', () => {
    const hmac_key = 'k'.repeat(32)
    const hash = createHmac('sha256', hmac_key).update(JWT).digest('hex')
    assert.equal(value({ hash_function: 'hmac-sha256', hmac_key }, JWT), `[REDACTED:jwt:${hash}]`)
    assert.equal(value({ hash_function: 'md5' }, JWT), '[REDACTED:jwt]')
  })

  test('a key that is missing, short or of no use is refused', () => {
    const parse = (config: object) => () => redaction.config.parse({ ...ALL, ...config })
    assert.throws(parse({ hash_function: 'hmac-sha256' }), /at least 32 bytes, found none/)
    assert.throws(parse({ hash_function: 'hmac-sha512', hmac_key: 'short' }), /at least 64 bytes, found 5/)
    assert.throws(parse({ hash_function: 'md5', hmac_key: 'k' }), /only/)
    parse({ hash_function: 'hmac-sha256', hmac_key: 'é'.repeat(16) })()
  })
})

suite('what is said about it', () => {
  const given = (): LogRecord => record({ a: JWT, b: { c: [JWT] }, d: 'x', e: 'ok' }, { body: { m: JWT, n: 1 } })
  const config = { allowed_keys: ['a', 'b', 'e', 'm'], allowed_values: ['^ok$'] }

  test('nothing by default', () => {
    assert.deepEqual(Object.keys(one(config, given()).attributes), ['a', 'b', 'e'])
  })

  test('counts with info', () => {
    const { a, b, e, ...rest } = one({ ...config, summary: 'info' }, given()).attributes
    assert.deepEqual(rest, {
      'redaction.redacted.count': 1,
      'redaction.masked.count': 2,
      'redaction.allowed.count': 1,
      'redaction.body.redacted.count': 1,
      'redaction.body.masked.count': 1,
    })
  })

  test('names with debug; a second redaction adds to them', () => {
    const first = one({ ...config, summary: 'debug' }, given())
    assert.equal(first.attributes['redaction.masked.keys'], 'a,b.c.[0]')
    assert.equal(first.attributes['redaction.body.redacted.keys'], 'n')
    first.attributes['f'] = 'x'
    const second = one({ ...config, summary: 'debug' }, first)
    assert.equal(second.attributes['redaction.redacted.keys'], 'd,f')
    assert.equal(second.attributes['redaction.redacted.count'], 2)
    assert.equal(second.attributes['redaction.masked.count'], 2)
  })

  test('a text body is called body', () => {
    const { attributes } = one({ ...ALL, summary: 'debug' }, record({}, { body: JWT }))
    assert.equal(attributes['redaction.body.masked.keys'], 'body')
  })

  test('matches are counted by rule', () => {
    const counted: Record<string, number> = {}
    const count = (_: string, by: number, labels?: Readonly<Record<string, string>>): void => {
      const rule = labels?.['rule'] ?? ''
      counted[rule] = (counted[rule] ?? 0) + by
    }
    one(
      { ...ALL, blocked_values: ['zz'] },
      record({ a: `${JWT} ${JWT}`, b: 'zz', password: 'p' }),
      testContext({ count }),
    )
    assert.deepEqual(counted, { jwt: 2, blocked_values: 1, password: 1 })
  })

  test('one record leaves nothing to the next', () => {
    const [, second] = redact({ ...ALL, summary: 'info' }, [record({ a: JWT }), record({ a: 'x' })])
    assert.deepEqual(second?.attributes, { a: 'x' })
  })
})

suite('values and names', () => {
  test('credentials go by the name they are kept under', () => {
    const given = {
      password: 'p',
      'http.request.header.authorization': ['Digest x'],
      'user.access_token': 'abc',
      settings: { clientSecret: 's', token: 77, tokenPath: '/run/x', passwordSet: true },
      'k8s.secret.name': 'db-credentials',
    }
    assert.deepEqual(one(ALL, record(given)).attributes, {
      password: '[REDACTED:password]',
      'http.request.header.authorization': ['[REDACTED:password]'],
      'user.access_token': '[REDACTED:password]',
      settings: {
        clientSecret: '[REDACTED:password]',
        token: '[REDACTED:password]',
        tokenPath: '/run/x',
        passwordSet: true,
      },
      'k8s.secret.name': 'db-credentials',
    })
  })

  test('two names that become one are kept apart', () => {
    const other = JWT.replace('SUzI', 'IUzI')
    assert.deepEqual(one(ALL, record({ [JWT]: 1, [other]: 2 })).attributes, {
      '[REDACTED:jwt]': 1,
      '[REDACTED:jwt].2': 2,
    })
  })

  test('a member called __proto__ stays a member', () => {
    const nested = JSON.parse(`{"__proto__":{"a":"${JWT}"},"b":"${JWT}"}`)
    const { x } = one(ALL, record({ x: nested })).attributes
    assert.equal(JSON.stringify(x), '{"__proto__":{"a":"[REDACTED:jwt]"},"b":"[REDACTED:jwt]"}')
    assert.equal(Object.getPrototypeOf(x), Object.prototype)
  })

  test('what is nested too deep is replaced', () => {
    let deep: AnyValue = JWT
    for (let i = 0; i < 5000; i++) deep = [deep]
    const seen = JSON.stringify(value({}, deep))
    assert(seen.includes('[REDACTED:too_deep]') && !seen.includes(JWT))
  })

  test('the body is left alone on request', () => {
    assert.equal(one({ ...ALL, body: false }, record({}, { body: JWT })).body, JWT)
  })

  test('a resource is exchanged once, for all its records', () => {
    const resource = internResource({ 'host.name': 'n', token: 'abc' })
    const [first, second] = redact(ALL, [record({}, { resource }), record({}, { resource })])
    assert.deepEqual(first?.resource.attributes, { 'host.name': 'n', token: '[REDACTED:password]' })
    assert.equal(first?.resource, second?.resource)
    assert.deepEqual(resource.attributes, { 'host.name': 'n', token: 'abc' })
  })

  test('a record without secrets keeps every object it had', () => {
    const given = record({ a: 'x', b: { c: ['y'] } }, { body: { d: 1 } })
    const { attributes, body, resource, instrumentationScope } = given
    const b = attributes['b']
    const seen = one({ ...ALL, summary: 'debug' }, given)
    assert.equal(seen.attributes, attributes)
    assert.equal(seen.attributes['b'], b)
    assert.deepEqual([seen.body === body, seen.resource === resource], [true, true])
    assert.equal(seen.instrumentationScope, instrumentationScope)
  })
})

suite('time', () => {
  const MIB = 1_048_576
  const of = (part: string): string => part.repeat(Math.ceil(MIB / part.length))
  const hard = [
    'eyJ',
    'eyJaaaa',
    'eyJ.',
    'eyJaaaa.',
    'bearer ',
    'bearer+',
    'bearer bearer:',
    'basic ',
    'basic AAAAAAAA',
    'authorization=',
    'authorization: x ',
    'authorization: ',
    '://',
    '://a:',
    '://a',
    '-----BEGIN ',
    `-----BEGIN PRIVATE ${'KEY'}-----`,
    '-',
    '--token',
    '--a-',
    '--key-',
    'token=',
    'token="',
    '"token":"',
    'token=\\"',
    '\\"token\\":\\"',
    '\\',
    '\\\\"',
    'token',
    'secret',
    'password ',
    "token='\\",
    'secret_access_key=',
    'ghp_',
    'github_pat_',
    'glpat-',
    'xoxb-',
    'AKIA',
    'AKIAAAAAAAAAAAAAAAAA',
    'AIza',
    'ya29.',
    'AccountKey=',
    '&sig=',
    'k_live_',
    'npm_',
    '4',
    '4111 ',
    '4111-1111-1111-1111-',
    '4111 1111 1111 1111 1',
    '1 ',
    '41111111111111111111 ',
    'a@',
    'a',
    'a.',
    'a@b.',
    '%',
    '%40',
    '10.',
    '1.2.3.4',
    'DE89',
    'DE89 3704 ',
    ' ',
    '"',
    '\n',
    ':',
  ]
  test('a mebibyte of anything is looked through in a moment', () => {
    const started = performance.now()
    for (const part of hard) {
      for (const lead of ['', 'token key=eyJ bearer authorization basic --']) {
        const start = performance.now()
        value({ detectors: DETECTOR_NAMES }, lead + of(part))
        const took = performance.now() - start
        assert(took < 2000, `${JSON.stringify(lead + part)} took ${Math.round(took)} ms`)
      }
    }
    assert(performance.now() - started < 60_000)
  })

  test('expressions of the configuration see a bounded part; the rest is masked and nothing long is spared', () => {
    const config = { blocked_values: ['(a|b)*c$'], allowed_values: ['a'], max_scan_size: '1KiB' }
    const seen = value(config, of('a')) as string
    assert.equal(seen, `${'a'.repeat(1024)}[REDACTED:unscanned]`)
    assert.equal(value({ blocked_values: ['z'], max_scan_size: 4 }, 'abc😀'), 'abc\ufffd[REDACTED:unscanned]')
    assert.equal((value({ detectors: ['jwt'] }, of('a') + JWT) as string).endsWith('[REDACTED:jwt]'), true)
  })
})
