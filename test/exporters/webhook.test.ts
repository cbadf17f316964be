import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext as Runner, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'yaml'
import { webhook } from '../../exporters/webhook/index.ts'
import { Delivery } from '../../src/exporting/deliver.ts'
import { HoldError, PartialError } from '../../src/exporting/errors.ts'
import { settingsOf } from '../../src/exporting/settings.ts'
import { recordToJson } from '../../src/records/json.ts'
import type { Attributes, LogRecord } from '../../src/records/record.ts'
import { type TestContext, testContext } from '../kit/context.ts'
import { exporterContract } from '../kit/exporter-contract.ts'
import { record } from '../kit/records.ts'

const never = new AbortController().signal

interface Received {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: a receiver reads what it finds.
  readonly json: any
}

interface Receiver {
  readonly url: string
  readonly requests: Received[]
  /** Of requests that were accepted. */
  readonly taken: Received[]
  respond: ((request: Received, response: ServerResponse) => void) | undefined
  close(): Promise<void>
}

async function receiver(): Promise<Receiver> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString('utf8')
    const one = { method: request.method ?? '', headers: request.headers, text, json: JSON.parse(text) }
    to.requests.push(one)
    if (to.respond !== undefined) return to.respond(one, response)
    to.taken.push(one)
    response.writeHead(202).end('ok')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const to: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/a-secret-path`,
    requests: [],
    taken: [],
    respond: undefined,
    async close() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
  return to
}

for (const batch of ['one', 'array'] as const) {
  exporterContract(webhook, {
    async destination() {
      const to = await receiver()
      const statuses = { fails: 503, rejects: 400 } as const
      return {
        config: { url: to.url, only_findings: false, batch, template: { id: '{{ attributes["id"] }}' } },
        mood(mood) {
          if (mood === 'accepts') to.respond = undefined
          else if (mood === 'hangs') to.respond = () => {}
          else to.respond = (_, response) => void response.writeHead(statuses[mood]).end()
        },
        received: async () => to.taken.flatMap(({ json }) => json).map(({ id }) => id),
        close: () => to.close(),
      }
    },
  })
}

interface Trial {
  readonly to: Receiver
  readonly context: TestContext
  send(...records: LogRecord[]): Promise<void>
  deliver(...records: LogRecord[]): Promise<string>
}

async function trial(t: Runner, config: object = {}): Promise<Trial> {
  const to = await receiver()
  t.after(() => to.close())
  const context = testContext()
  const parsed = webhook.config.parse({ url: to.url, ...config })
  const exporter = webhook.create(parsed, context)
  t.after(() => exporter.stop?.(never))
  await exporter.start?.(never)
  const settings = settingsOf(parsed)
  const quick = { ...settings.retry_on_failure, initial_interval: 5, max_interval: 10 }
  const delivery = new Delivery(
    exporter,
    { ...settings, retry_on_failure: quick },
    {
      sent: (n) => context.count('sent', n),
      refusedUnnamed: (n) => context.count('refused', n),
      retrying: () => context.count('retries', 1),
      reject: context.reject,
      health: context.health,
    },
  )
  return {
    to,
    context,
    send: (...records) => exporter.export(records, never),
    deliver: async (...records) => (await delivery.deliver(records, never)).kind,
  }
}

const finding = (id: number, attributes: Attributes = {}): LogRecord =>
  record({ id, ...attributes }, { eventName: 'security.detection' })
const event = (id: number): LogRecord => record({ id }, { eventName: 'process.exec' })

test('findings go, one request each; everything else is filtered on purpose and neither sent nor lost', async (t) => {
  const { to, context, deliver } = await trial(t)
  const anomaly = record({ id: 4 }, { eventName: 'security.anomaly' })
  assert.equal(await deliver(event(1), finding(2), event(3), anomaly), 'delivered')
  assert.deepEqual(
    to.taken.map(({ json }) => json.attributes.id),
    [2, 4],
  )
  assert.deepEqual(context.filteredBy, { no_finding: 2 })
  assert.equal(context.counts['sent'], 2)
  assert.equal(await deliver(event(5)), 'delivered')
  assert.equal(to.requests.length, 2)
  assert.deepEqual([context.filteredBy, context.counts['sent']], [{ no_finding: 3 }, 2])
  assert.equal(to.taken[0]?.headers['content-type'], 'application/json')
})

test('what is filtered is counted once, however often its batch is sent again', async (t) => {
  for (const batch of ['one', 'array']) {
    const { to, context, deliver } = await trial(t, { batch })
    to.respond = (_, response) => void response.writeHead(503).end()
    const delivered = deliver(event(1), finding(2), event(3), finding(4))
    while ((context.counts['retries'] ?? 0) < 3) await sleep(2)
    to.respond = undefined
    assert.equal(await delivered, 'delivered')
    assert.deepEqual(context.filteredBy, { no_finding: 2 })
    assert.equal(context.counts['sent'], 2)
  }
})

test('a batch can be one array, of which the record to blame is found', async (t) => {
  const { to, context, deliver } = await trial(t, { batch: 'array', template: '{{ attributes["id"] }}' })
  to.respond = ({ json }, response) => {
    if (json.includes(5)) return void response.writeHead(400).end('{"message":"no fives"}')
    if (json.length > 4) return void response.writeHead(413).end()
    to.taken.push({ json } as Received)
    response.end()
  }
  assert.equal(await deliver(...Array.from({ length: 10 }, (_, i) => finding(i))), 'rejected')
  assert.deepEqual(
    to.taken.flatMap(({ json }) => json),
    [0, 1, 2, 3, 4, 6, 7, 8, 9],
  )
  assert.deepEqual(
    context.letters.map(({ record: one, reason, error }) => [one?.attributes['id'], reason, /no fives/.test(error)]),
    [[5, 'http_400', true]],
  )
})

test('one record that is refused costs itself; a receiver that asks for patience gets it', async (t) => {
  const { to, context, send } = await trial(t, { template: '{{ attributes["id"] }}' })
  to.respond = ({ json }, response) => {
    if (json === 1) return void response.writeHead(400).end()
    if (json === 3) return void response.writeHead(429, { 'retry-after': '7' }).end()
    response.end()
  }
  await assert.rejects(send(...[0, 1, 2, 3, 4, 5].map((id) => finding(id))), (error: Error) => {
    assert(error instanceof PartialError)
    assert.deepEqual(
      error.retry.map(({ attributes }) => attributes['id']),
      [3, 4, 5],
    )
    assert.deepEqual(
      error.rejected.map(({ record: { attributes } }) => attributes['id']),
      [1],
    )
    assert.equal((error.why as { retryAfterMs?: number }).retryAfterMs, 7000)
    return true
  })
  assert.equal(to.requests.length, 4)
  assert.deepEqual(context.letters, [])
})

test('redirects are refused, and no error shows the URL', async (t) => {
  const { to, send } = await trial(t)
  to.respond = (_, response) => void response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()
  await assert.rejects(send(finding(1)), (error: Error) => {
    assert(error instanceof PartialError && error.why instanceof HoldError)
    assert.doesNotMatch(`${error.message}${error.why.message}`, /a-secret-path/)
    return true
  })
  assert.equal(to.requests.length, 1)
})

/** As the page of the component tells receivers to do it. */
function isGenuine({ headers, text }: Received, secret: string): boolean {
  const time = headers['x-weir-timestamp']
  const expected = `sha256=${createHmac('sha256', secret).update(`${time}.${text}`).digest('hex')}`
  return headers['x-weir-signature'] === expected && Math.abs(Date.now() / 1000 - Number(time)) < 300
}

test('a request is signed with its time, with the secret that the file holds now', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-webhook-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const secret_file = join(directory, 'secret')
  writeFileSync(secret_file, 'old\n')
  const { to, send } = await trial(t, { signature: { secret_file } })
  await send(finding(1, { text: 'Ünïcode "quotes"\n' }))
  assert(isGenuine(to.taken[0] as Received, 'old'))
  assert(!isGenuine(to.taken[0] as Received, 'other'))
  assert(!isGenuine({ ...(to.taken[0] as Received), text: '{}' }, 'old'))
  const plain = await trial(t, {
    signature: { secret: 's', header: 'X-Hub-Signature-256', timestamp_header: 'X-Time' },
  })
  await plain.send(finding(1))
  assert.match(String(plain.to.taken[0]?.headers['x-hub-signature-256']), /^sha256=[0-9a-f]{64}$/)
  assert.match(String(plain.to.taken[0]?.headers['x-time']), /^\d{10}$/)
})

test('each record has the same key whenever it is sent; what no header can hold is hashed', async (t) => {
  const { to, send } = await trial(t)
  const hostile = 'a\r\nX-Admin: 1'
  for (const uid of ['uid-1', 'uid-1', hostile]) await send(finding(1, { 'log.record.uid': uid }))
  await send(finding(1))
  const keys = to.taken.map(({ headers }) => headers['idempotency-key'])
  assert.deepEqual([keys[0], keys[1], keys[3]], ['uid-1', 'uid-1', undefined])
  assert.match(String(keys[2]), /^[0-9a-f]{64}$/)
  const all = await trial(t, { batch: 'array', idempotency_header: 'X-Id' })
  const pair = [finding(1, { 'log.record.uid': 'a' }), finding(2, { 'log.record.uid': 'b' })]
  await all.send(...pair)
  await all.send(...pair)
  const [first, second] = all.to.taken.map(({ headers }) => headers['x-id'])
  assert.match(String(first), /^[0-9a-f]{64}$/)
  assert.equal(first, second)
})

test('method, headers and credentials are those of the configuration', async (t) => {
  const { to, send } = await trial(t, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/cloudevents+json', 'X-Team': 'red' },
    auth: { basic: { username: 'u', password: 'p' } },
  })
  await send(finding(1))
  const { method, headers } = to.taken[0] as Received
  assert.deepEqual(
    [method, headers['content-type'], headers['x-team'], headers.authorization],
    ['PUT', 'application/cloudevents+json', 'red', `Basic ${btoa('u:p')}`],
  )
})

test('a secret of the template is sent, must be there, and is shown by nothing', async (t) => {
  const template = { routing_key: '{{ secret["key"] }}', summary: '{{ body }}' }
  const { to, send } = await trial(t, { template, secrets: { key: 'hunter2' } })
  await send(finding(1))
  assert.deepEqual(to.taken[0]?.json, { routing_key: 'hunter2', summary: 'hello' })
  const parsed = webhook.config.parse({ url: to.url, template })
  assert.throws(() => webhook.create(parsed, testContext()), /there is no secret "key": write it under secrets/)
})

/** The configurations that the page of the component shows, by name. */
function shownConfigs(): Record<string, { url: string }> {
  const page = readFileSync(join(import.meta.dirname, '../../docs/components/exporters/webhook.md'), 'utf8')
  const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = '']) => yaml)
  const plain = blocks.map((yaml) => yaml.replaceAll(/\$\{env:(\w+)\}/g, 'https://example.com/$1'))
  return Object.assign({}, ...plain.map((yaml) => parse(yaml).exporters))
}

test('what the page shows for Slack, Teams and PagerDuty works', async (t) => {
  const attributes = {
    'weir.explanation': 'A <shell> started in *web-1*.',
    'log.record.uid': 'uid-1',
    'security_rule.name': 'Shell in a container',
    'k8s.pod.name': 'web-1',
  }
  const found = record(attributes, {
    eventName: 'security.detection',
    severityNumber: 17,
    severityText: 'ERROR',
    body: 'x',
  })
  const { 'webhook/slack': slack, 'webhook/teams': teams, 'webhook/pagerduty': pager } = shownConfigs()
  const sent = async (config: object = {}): Promise<Received['json']> => {
    const { url: _, ...rest } = config as { url?: string }
    const { to, send } = await trial(t, rest)
    await send(found)
    return to.taken[0]?.json
  }
  const { text, blocks } = await sent(slack)
  assert.equal(text, 'ERROR: A &lt;shell&gt; started in *web-1*.')
  assert.equal(blocks[0].text.text, '*Shell in a container*\nA &lt;shell&gt; started in *web-1*.')
  const { type, attachments } = await sent(teams)
  assert.equal(type, 'message')
  assert.equal(attachments[0].contentType, 'application/vnd.microsoft.card.adaptive')
  assert.equal(attachments[0].content.body[1].text, 'A \\<shell\\> started in \\*web\\-1\\*.')
  assert.deepEqual(await sent(pager), {
    routing_key: 'https://example.com/PAGERDUTY_KEY',
    event_action: 'trigger',
    dedup_key: 'uid-1',
    payload: {
      summary: 'A <shell> started in *web-1*.',
      source: 'kubernetes',
      severity: 'error',
      timestamp: JSON.parse(recordToJson(found)).time,
      component: 'web-1',
      custom_details: { ...attributes },
    },
  })
})

test('a record that cannot be written goes to the dead-letter file, the others go on', async (t) => {
  for (const batch of ['one', 'array']) {
    const { to, context, deliver } = await trial(t, { batch, template: { a: '{{ attributes["a"] }}' } })
    assert.equal(await deliver(finding(1, { a: 1n as never }), finding(2, { a: 'x' })), 'rejected')
    assert.deepEqual(
      context.letters.map(({ reason }) => reason),
      ['unencodable'],
    )
    assert.deepEqual(
      to.taken.flatMap(({ json }) => json),
      [{ a: 'x' }],
    )
  }
})

test('mistakes of the configuration are refused where they are', () => {
  const issueOf = (config: object) => webhook.config.safeParse({ url: 'https://a.example', ...config }).error?.issues[0]
  assert.deepEqual(issueOf({ template: { blocks: [{ text: '{{ bdy }}' }] } })?.path, ['template', 'blocks', 0, 'text'])
  assert.match(issueOf({ url: 'ftp://a' })?.message ?? '', /https:\/\/hooks/)
  assert.match(issueOf({ signature: {} })?.message ?? '', /either secret or secret_file/)
  assert.match(issueOf({ signature: { secret: 'a', secret_file: 'b' } })?.message ?? '', /either secret or secret_file/)
})
