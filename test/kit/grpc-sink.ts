/** A real OTLP/gRPC destination on a free port, which misbehaves on request. */
import { type Metadata, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js'
import { EXPORT_LOGS } from '../../src/otlp/grpc.ts'
import { type DecodedRecord, decodeOtlp } from './otlp-decode.ts'

export interface GrpcSinkRequest {
  readonly metadata: Metadata
  readonly bytes: number
  readonly records: readonly DecodedRecord[]
}

type Answer = sendUnaryData<Buffer>

export interface GrpcSink {
  readonly port: number
  readonly requests: GrpcSinkRequest[]
  /** Records of accepted requests. */
  readonly accepted: DecodedRecord[]
  /** Answers instead of accepting; undefined accepts. */
  respond: ((request: GrpcSinkRequest, answer: Answer) => void) | undefined
  close(): Promise<void>
}

export async function grpcSink(
  credentials = ServerCredentials.createInsecure(),
  options: object = {},
): Promise<GrpcSink> {
  const server = new Server({ 'grpc.max_receive_message_length': -1, ...options })
  const take = ({ request, metadata }: ServerUnaryCall<Buffer, Buffer>, answer: Answer): void => {
    const records = decodeOtlp(Buffer.from(request), 'application/x-protobuf')
    const seen = { metadata, bytes: request.length, records }
    sink.requests.push(seen)
    if (sink.respond !== undefined) {
      sink.respond(seen, answer)
      return
    }
    sink.accepted.push(...records)
    answer(null, Buffer.alloc(0))
  }
  server.addService({ Export: EXPORT_LOGS }, { Export: take })
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error === null ? resolve(bound) : reject(error))),
  )
  const sink: GrpcSink = {
    port,
    requests: [],
    accepted: [],
    respond: undefined,
    async close() {
      server.forceShutdown()
    },
  }
  return sink
}
