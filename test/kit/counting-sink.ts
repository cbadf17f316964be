/**
 * An OTLP/HTTP (JSON) destination that remembers only what arrived how often. Now and then it takes a request and
 * answers nothing, or refuses one for the moment, as destinations do.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Arrival {
  times: number
  /** The distinct `log.record.uid`s it came with: more than one would make a duplicate impossible to recognise. */
  readonly uids: Set<string>
}

export interface CountingSink {
  readonly url: string
  /** By `name:number` of the line. */
  readonly arrivals: Map<string, Arrival>
  readonly requests: number
  close(): Promise<void>
}

interface OtlpRecord {
  readonly body?: { readonly stringValue?: string }
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[]
}

export async function countingSink(faults: {
  readonly unanswered: number
  readonly refused: number
}): Promise<CountingSink> {
  const arrivals = new Map<string, Arrival>()
  let requests = 0
  const take = (record: OtlpRecord): void => {
    const uid = record.attributes.find(({ key }) => key === 'log.record.uid')?.value.stringValue ?? ''
    const audit = /^(.*)\/ResponseComplete$/.exec(uid)?.[1]
    const line = audit ?? record.body?.stringValue?.split(' ')[0] ?? ''
    const known = arrivals.get(line)
    if (known === undefined) arrivals.set(line, { times: 1, uids: new Set([uid]) })
    else {
      known.times += 1
      known.uids.add(uid)
    }
  }
  const answer = (response: ServerResponse, body: string): void => {
    requests += 1
    if (Math.random() < faults.refused) {
      response.writeHead(503).end()
      return
    }
    for (const { scopeLogs } of JSON.parse(body).resourceLogs) {
      for (const { logRecords } of scopeLogs) for (const record of logRecords) take(record)
    }
    if (Math.random() < faults.unanswered) response.destroy()
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => answer(response, Buffer.concat(chunks).toString('utf8')))
    request.on('error', () => {}) // The killed program's half requests.
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals,
    get requests() {
      return requests
    },
    async close() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
