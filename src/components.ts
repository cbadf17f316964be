/** Everything that exists. A component that is not in this list cannot be configured. */
import { otlpHttp } from '../exporters/otlp_http/index.ts'
import { stdout } from '../exporters/stdout/index.ts'
import { k8sAudit } from '../receivers/k8s_audit.ts'
import type { Registry } from './component.ts'

export const registry: Registry = {
  receivers: [k8sAudit],
  processors: [],
  exporters: [otlpHttp, stdout],
  connectors: [],
  extensions: [],
}
