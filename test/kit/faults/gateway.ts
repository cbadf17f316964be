/** A gateway between the agent of a node and the destination, killed and started again. */
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, workspace } from '../weir.ts'
import type { Fault } from './fault.ts'
import { exporterOf, flow } from './flow.ts'

/** Agent and gateway speak OTLP over HTTP, or over gRPC. */
function gateway(protocol: 'http' | 'grpc'): Fault {
  const name = `a gateway between agent and destination is killed and started again (OTLP over ${protocol === 'http' ? 'HTTP' : 'gRPC'})`
  return {
    name,
    run: ({ records, kills: many }) =>
      flow({ fault: name }, async ({ to, room, config, writeOver, account }) => {
        const kills = Math.max(3, Math.round(many / 3))
        const [port, middle] = [await freePort(), workspace()]
        const gatewayConfig = `
receivers: {otlp: {protocols: {${protocol}: {endpoint: '127.0.0.1:${port}'}}}}
extensions: {file_storage: }
exporters: {otlp_http: ${exporterOf('otlp', to.url, 'disk')}}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [otlp], exporters: [otlp_http]}}
`
        const toGateway =
          protocol === 'http'
            ? config.replace(to.url, `http://127.0.0.1:${port}`)
            : config
                .replaceAll('otlp_http', 'otlp_grpc')
                .replace(`endpoint: '${to.url}'`, `endpoint: '127.0.0.1:${port}', tls: {insecure: true}`)
        try {
          const agent = room.run(toGateway)
          await agent.says(/Everything is ready/)
          const writing = writeOver(records, kills * 1200)
          for (let i = 0; i < kills; i++) {
            const one = middle.run(gatewayConfig)
            await one.says(/Everything is ready/)
            await to.mood(i % 2 === 1 ? { kind: 'answers', status: 503 } : { kind: 'is slow', ms: 100 })
            await sleep(200 + Math.random() * 600)
            await one.end('SIGKILL')
          }
          await writing
          await to.mood({ kind: 'accepts' })
          const last = middle.run(gatewayConfig)
          await last.says(/Everything is ready/)
          const result = await account(`${kills} kills of the gateway`)
          await agent.end()
          await last.end()
          return result
        } finally {
          await middle.remove()
        }
      }),
  }
}

export const gatewayFaults: readonly Fault[] = [gateway('http'), gateway('grpc')]
