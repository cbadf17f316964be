/**
 * Sends Weir's own log by OTLP, with the OpenTelemetry SDK as it comes: batched, bounded and best effort.
 * What is lost here is a line about Weir, never a record of a pipeline. Loaded only when asked for.
 */
import type { Fields, Level } from './logger.ts'

export interface OwnLogs {
  emit(level: Level, message: string, fields: Fields): void
  /** Sends what is held, for at most a few seconds. */
  close(): Promise<void>
}

export interface OwnLogsOptions {
  readonly destinations: readonly { readonly endpoint: string; readonly headers: Readonly<Record<string, string>> }[]
  /** `service.name` and the like. */
  readonly resource: Readonly<Record<string, string | number | boolean>>
}

const SEVERITY = { debug: 5, info: 9, warn: 13, error: 17 } as const
const CLOSE_LIMIT_MS = 3000

export async function openOwnLogs({ destinations, resource }: OwnLogsOptions): Promise<OwnLogs> {
  const [{ BatchLogRecordProcessor, LoggerProvider }, { OTLPLogExporter }, { resourceFromAttributes }] =
    await Promise.all([
      import('@opentelemetry/sdk-logs'),
      import('@opentelemetry/exporter-logs-otlp-http'),
      import('@opentelemetry/resources'),
    ])
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ ...resource }),
    processors: destinations.map(
      ({ endpoint, headers }) =>
        new BatchLogRecordProcessor({ exporter: new OTLPLogExporter({ url: endpoint, headers: { ...headers } }) }),
    ),
  })
  const logger = provider.getLogger('weir')
  return {
    emit(level, message, fields) {
      const attributes = Object.fromEntries(
        Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? value.message : (value as string)]),
      )
      logger.emit({ severityNumber: SEVERITY[level], severityText: level.toUpperCase(), body: message, attributes })
    },
    async close() {
      const limit = new Promise<void>((done) => setTimeout(done, CLOSE_LIMIT_MS).unref())
      await Promise.race([provider.shutdown().catch(() => {}), limit])
    },
  }
}
