/** Everything that exists. A component that is not in this list cannot be configured. */
import { forward } from '../connectors/forward.ts'
import { routing } from '../connectors/routing.ts'
import { elasticsearch } from '../exporters/elasticsearch/index.ts'
import { file } from '../exporters/file/index.ts'
import { otlpGrpc } from '../exporters/otlp_grpc/index.ts'
import { otlpHttp } from '../exporters/otlp_http/index.ts'
import { splunkHec } from '../exporters/splunk_hec/index.ts'
import { stdout } from '../exporters/stdout/index.ts'
import { webhook } from '../exporters/webhook/index.ts'
import { fileStorage } from '../extensions/file_storage.ts'
import { healthCheck } from '../extensions/health_check.ts'
import { attributes } from '../processors/attributes/index.ts'
import { filter } from '../processors/filter.ts'
import { memoryLimiter } from '../processors/memory_limiter/index.ts'
import { redaction } from '../processors/redaction/index.ts'
import { ebpf } from '../receivers/ebpf/index.ts'
import { fileLog } from '../receivers/file_log/index.ts'
import { k8sAudit } from '../receivers/k8s_audit.ts'
import { otlp } from '../receivers/otlp/index.ts'
import type { Registry } from './component.ts'

export const registry: Registry = {
  receivers: [ebpf, fileLog, k8sAudit, otlp],
  processors: [attributes, filter, memoryLimiter, redaction],
  exporters: [elasticsearch, file, otlpGrpc, otlpHttp, splunkHec, stdout, webhook],
  connectors: [forward, routing],
  extensions: [fileStorage, healthCheck],
}
