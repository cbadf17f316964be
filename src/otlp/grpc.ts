/** gRPC for logs, loaded when something speaks it: the library and the one method, whose messages stay bytes. */
import type grpcModule from '@grpc/grpc-js'

export type Grpc = typeof grpcModule

export async function loadGrpc(): Promise<Grpc> {
  const { default: grpc } = await import('@grpc/grpc-js')
  return grpc
}

export const EXPORT_LOGS = {
  path: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  requestStream: false,
  responseStream: false,
  requestSerialize: asItIs,
  requestDeserialize: asItIs,
  responseSerialize: asItIs,
  responseDeserialize: asItIs,
} as const

function asItIs(bytes: Buffer): Buffer {
  return bytes
}
