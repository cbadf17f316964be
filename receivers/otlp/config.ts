import { z } from 'zod'
import { byteSize, duration } from '../../src/config/values.ts'
import { ENCODINGS } from '../../src/net/server-body.ts'
import { listenEndpoint, serverSettings } from '../../src/net/server-settings.ts'

const MIB = 2 ** 20

const path = z.string().regex(/^\/[^?#\s]*$/, 'expected a path that begins with /')

export const httpSettings = z.strictObject({
  endpoint: listenEndpoint('localhost:4318'),
  logs_url_path: path.default('/v1/logs').describe('Path that takes logs.'),
  max_request_body_size: byteSize()
    .refine((bytes) => bytes >= 1024 && bytes <= 256 * MIB, { message: 'expected 1KiB to 256MiB' })
    .prefault('20MiB')
    .describe('Largest body, before and after it is unpacked; a larger one is refused with 413.'),
  compression_algorithms: z
    .array(z.enum(ENCODINGS))
    .min(1)
    .default([...ENCODINGS])
    .describe('Encodings of bodies that are taken; `""` stands for none.'),
  read_header_timeout: duration().prefault('10s').describe('Longest time the headers of a request may take.'),
  read_timeout: duration().prefault('15s').describe('Longest time a whole request may take to arrive.'),
  idle_timeout: duration().prefault('1m').describe('How long a connection is kept that has no request.'),
  ...serverSettings(),
})

const keepalive = z.strictObject({
  server_parameters: z
    .strictObject({
      max_connection_idle: duration().prefault('15m').describe('Close a connection that had no request for this long.'),
      max_connection_age: duration().optional().describe('Close a connection after this long, to spread clients anew.'),
      max_connection_age_grace: duration().optional().describe('Time for requests that are open then.'),
      time: duration().prefault('2h').describe('Ask a quiet client after this long whether it is still there.'),
      timeout: duration().prefault('20s').describe('Time for its answer.'),
    })
    .prefault({})
    .describe('How long connections live.'),
})

export const grpcSettings = z.strictObject({
  endpoint: listenEndpoint('localhost:4317'),
  max_recv_msg_size_mib: z
    .int()
    .min(1)
    .max(256)
    .default(4)
    .describe('Largest message in MiB, unpacked; a larger one is refused with RESOURCE_EXHAUSTED.'),
  max_concurrent_streams: z.int().min(1).default(100).describe('Most requests at once on one connection.'),
  keepalive: keepalive.prefault({}).describe('Pings, and the age of connections.'),
  read_timeout: duration().prefault('15s').describe('Longest time a message may take to arrive.'),
  ...serverSettings(),
})

const orDefaults = 'Nothing after the colon means the defaults.'

export const config = z.strictObject({
  protocols: z
    .strictObject({
      grpc: grpcSettings.nullable().optional().describe(`OTLP over gRPC. ${orDefaults}`),
      http: httpSettings.nullable().optional().describe(`OTLP over HTTP, protobuf and JSON. ${orDefaults}`),
    })
    .refine(({ grpc, http }) => grpc !== undefined || http !== undefined, {
      message: 'must specify at least one protocol when using the OTLP receiver: grpc, http or both',
    })
    .describe('What to listen for; at least one.'),
  admission_timeout: duration()
    .prefault('2s')
    .describe('How long a request waits for room before it is refused, to be sent again.'),
})

export type Config = z.output<typeof config>
export type HttpSettings = z.output<typeof httpSettings>
export type GrpcSettings = z.output<typeof grpcSettings>
