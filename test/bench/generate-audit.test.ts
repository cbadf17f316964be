import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { SCENARIO, SCENARIO_ANNOTATION } from '../../bench/audit/attack.ts'
import { auditLines } from '../../bench/audit/generate.ts'
import { writeAuditLog } from '../../bench/generate-audit.ts'

interface Event {
  level: string
  stage: string
  verb: string
  auditID: string
  requestObject?: unknown
  responseObject?: unknown
  stageTimestamp: string
  requestReceivedTimestamp: string
  user: { username: string; groups: string[] }
  objectRef?: { resource: string; namespace?: string; subresource?: string }
  responseStatus?: { code: number }
  annotations?: Record<string, string>
}
const events = (options: Parameters<typeof auditLines>[0]): Event[] =>
  [...auditLines(options)].map((line) => JSON.parse(line))

suite('the generated log', () => {
  const all = events({ events: 20_000, seed: 11, attack: true })

  test('is the same for the same seed, and another for another', () => {
    const log = (seed: number): string => [...auditLines({ events: 500, seed, attack: true })].join('\n')
    assert.equal(log(4), log(4))
    assert.notEqual(log(4), log(5))
  })
  test('has as many events as asked for, with unique ids for every stage', () => {
    for (const count of [0, 1, 777]) assert.equal(events({ events: count, seed: 1 }).length, count)
    assert.equal(new Set(all.map(({ auditID, stage }) => `${auditID}/${stage}`)).size, all.length)
  })
  test('has events of real sizes, 1 to 3 KB on average', () => {
    const bytes = [...auditLines({ events: 5000, seed: 1 })].reduce((sum, line) => sum + Buffer.byteLength(line), 0)
    assert(bytes / 5000 > 1000 && bytes / 5000 < 3000, String(bytes / 5000))
  })
  test('has bodies exactly where its levels allow them', () => {
    const count = { Metadata: 0, Request: 0, RequestResponse: 0 }
    for (const { level, requestObject, responseObject, stage } of all) {
      count[level as keyof typeof count] += 1
      if (level === 'Metadata' || stage === 'RequestReceived')
        assert(requestObject === undefined && responseObject === undefined)
      if (level === 'Request') assert.equal(responseObject, undefined)
    }
    for (const [level, found] of Object.entries(count)) assert(found > 300, `${level}: ${found}`)
    assert(all.some(({ requestObject, responseObject }) => requestObject && responseObject))
  })
  test('keeps to the levels asked for, and None writes nothing', () => {
    assert(events({ events: 500, seed: 1, levels: ['Metadata'] }).every(({ level }) => level === 'Metadata'))
    assert.deepEqual(events({ events: 500, seed: 1, levels: ['None'] }), [])
  })
  test('has every stage, refusals, several namespaces, and all kinds of actors', () => {
    const stages = new Set(events({ events: 100_000, seed: 2 }).map(({ stage }) => stage))
    assert.deepEqual([...stages].sort(), ['Panic', 'RequestReceived', 'ResponseComplete', 'ResponseStarted'])
    for (const code of [200, 201, 101, 403, 404, 409])
      assert(
        all.some(({ responseStatus }) => responseStatus?.code === code),
        String(code),
      )
    assert(new Set(all.map(({ objectRef }) => objectRef?.namespace)).size > 6)
    for (const actor of [
      'oidc:alice@example.com',
      'system:node:worker-1',
      'system:kube-scheduler',
      'system:anonymous',
      'system:serviceaccount:ci:deployer-payments',
      'system:apiserver',
    ]) {
      assert(
        all.some(({ user }) => user.username === actor),
        actor,
      )
    }
    for (const part of ['exec', 'log', 'portforward', 'eviction', 'token', 'scale', 'binding', 'status']) {
      assert(
        all.some(({ objectRef }) => objectRef?.subresource === part),
        part,
      )
    }
  })
  test('has times that go on, and answers after their requests', () => {
    for (const { requestReceivedTimestamp, stageTimestamp } of all) assert(requestReceivedTimestamp <= stageTimestamp)
    const received = all
      .filter(({ stage }) => stage === 'RequestReceived')
      .map((event) => event.requestReceivedTimestamp)
    assert.deepEqual(received, [...received].sort())
  })
  test('starts when it is told to', () => {
    const [first] = events({ events: 1, seed: 1, start: new Date('2030-05-06T07:08:09Z') })
    assert.match(first!.requestReceivedTimestamp, /^2030-05-06T07:08:09\./)
  })
  test('holds the whole attack, marked, from the theft to the cleanup', () => {
    for (const sample of [all, events({ events: 300, seed: 8, attack: true })]) {
      const marked = sample.filter(({ annotations }) => annotations?.[SCENARIO_ANNOTATION] === SCENARIO)
      const steps = marked.map(
        ({ verb, objectRef }) =>
          `${verb} ${objectRef?.resource ?? 'url'}${objectRef?.subresource ? `/${objectRef.subresource}` : ''}`,
      )
      for (const step of [
        'create selfsubjectrulesreviews',
        'list secrets',
        'get secrets',
        'create pods',
        'create pods/exec',
        'delete pods',
      ])
        assert(steps.includes(step), step)
    }
    assert(
      events({ events: 2000, seed: 8 }).every(
        ({ annotations }) => !annotations || !(SCENARIO_ANNOTATION in annotations),
      ),
    )
  })
})

test('a log that is written to a file is the log', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-generate-'))
  const options = { events: 3000, seed: 9, attack: true }
  await writeAuditLog(join(folder, 'audit.log'), options)
  const written = await readFile(join(folder, 'audit.log'), 'utf8')
  assert.equal(written, [...auditLines(options)].map((line) => `${line}\n`).join(''))
  await rm(folder, { recursive: true })
})
