/** A real HTTP proxy on a free port: absolute requests for http://, CONNECT for https://, and moods of its own. */
import { createServer, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'

export interface SeenByProxy {
  readonly method: string
  /** `host:port` of a CONNECT, else the absolute URL. */
  readonly target: string
  readonly authorization: string | undefined
}

export interface TestProxy {
  readonly host: string
  readonly seen: SeenByProxy[]
  /** Answers CONNECT with this status instead of 200; `hang` answers nothing. */
  connects: 'opens' | 'hang' | number
  close(): Promise<void>
}

export async function testProxy(): Promise<TestProxy> {
  const sockets = new Set<Duplex>()
  const note = ({ method = '', url = '', headers }: IncomingMessage): void =>
    void proxy.seen.push({ method, target: url, authorization: headers['proxy-authorization'] })
  const server = createServer((incoming, response) => {
    note(incoming)
    const { method, url = '', headers } = incoming
    const onward = request(new URL(url), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.writeHead(502).end())
    incoming.pipe(onward)
  })
  server.on('connection', (socket) => sockets.add(socket))
  server.on('connect', (incoming: IncomingMessage, client: Duplex) => {
    note(incoming)
    client.on('error', () => {})
    if (proxy.connects === 'hang') return
    if (proxy.connects !== 'opens') return void client.end(`HTTP/1.1 ${proxy.connects} No\r\n\r\n`)
    const [host, port] = (incoming.url ?? '').split(':')
    const onward = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.pipe(client).pipe(onward)
    })
    sockets.add(onward)
    onward.on('error', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy: TestProxy = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: [],
    connects: 'opens',
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
    },
  }
  return proxy
}
