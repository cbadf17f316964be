/** What kind of event each event name is, in the closed vocabulary of ECS. */

export interface EventClass {
  readonly kind: 'event' | 'alert' | 'metric'
  readonly category: readonly string[]
  readonly type: readonly string[]
  readonly action: string
  readonly outcome?: 'success' | 'failure'
}

const event = (category: string, type: string, action: string): EventClass => ({
  kind: 'event',
  category: words(category),
  type: words(type),
  action,
})

function words(text: string): string[] {
  return text === '' ? [] : text.split(' ')
}

const sensor = (action: string): EventClass => ({ ...event('host', 'info', action), kind: 'metric' })
const finding = (category: string, action: string): EventClass => ({
  ...event(category, 'info', action),
  kind: 'alert',
})

export const EVENT_CLASSES: Readonly<Record<string, EventClass>> = {
  'process.exec': event('process', 'start', 'exec'),
  'process.exec_failed': { ...event('process', 'start', 'exec'), outcome: 'failure' },
  'process.fork': event('process', 'start', 'fork'),
  'process.exit': event('process', 'end', 'exit'),
  'process.ptrace': event('process', 'access', 'ptrace'),
  'process.signal': event('process', 'info', 'signal'),
  'process.fd_redirect': event('process', 'change', 'fd_redirect'),
  'process.syscall': event('process', 'info', 'syscall'),
  'network.socket': event('network', 'info', 'socket'),
  'network.bind': event('network', 'info', 'bind'),
  'network.connect': event('network', 'start connection', 'connect'),
  'network.accept': event('network', 'start connection', 'accept'),
  'network.listen': event('network', 'info', 'listen'),
  'network.close': event('network', 'end', 'close'),
  'network.flow': event('network', 'connection', 'flow'),
  'dns.query': event('network', 'protocol info', 'dns_query'),
  'dns.response': event('network', 'protocol info', 'dns_response'),
  'tls.client_hello': event('network', 'protocol info', 'tls_client_hello'),
  'http.request': event('network web', 'protocol access', 'http_request'),
  'file.open': event('file', 'access', 'open'),
  'file.create': event('file', 'creation', 'create'),
  'file.delete': event('file', 'deletion', 'delete'),
  'file.rename': event('file', 'change', 'rename'),
  'file.link': event('file', 'creation', 'link'),
  'file.symlink': event('file', 'creation', 'symlink'),
  'file.chmod': event('file', 'change', 'chmod'),
  'file.chown': event('file', 'change', 'chown'),
  'file.truncate': event('file', 'change', 'truncate'),
  'file.mkdir': event('file', 'creation', 'mkdir'),
  'file.setattr': event('file', 'change', 'setattr'),
  'capability.use': event('process', 'info', 'capability_use'),
  'privilege.change': event('process', 'change', 'privilege_change'),
  'namespace.change': event('process', 'change', 'namespace_change'),
  'mount.change': event('file', 'change', 'mount'),
  'module.load': event('driver', 'start', 'module_load'),
  'memfd.create': event('file', 'creation', 'memfd_create'),
  'bpf.use': event('driver', 'info', 'bpf'),
  'io_uring.use': event('process', 'info', 'io_uring'),
  // Category and type of audit events depend on the request: see audit.ts.
  'k8s.audit': event('configuration', 'info', 'audit'),
  'k8s.event': event('configuration', 'info', 'k8s_event'),
  'k8s.object': event('configuration', 'info', 'k8s_object'),
  'aws.cloudtrail': event('configuration', 'info', 'cloudtrail'),
  'gcp.audit': event('configuration', 'info', 'gcp_audit'),
  'azure.activity': event('configuration', 'info', 'azure_activity'),
  'cloud.log': event('', 'info', 'log'),
  'linux.audit': event('host', 'info', 'linux_audit'),
  syslog: event('host', 'info', 'syslog'),
  log: event('', 'info', 'log'),
  'sensor.status': sensor('status'),
  'sensor.loss': sensor('loss'),
  'sensor.throttle': sensor('throttle'),
  'sensor.tamper': { ...event('host', 'change', 'tamper'), kind: 'event' },
  'security.anomaly': finding('intrusion_detection', 'anomaly'),
  'security.detection': finding('intrusion_detection', 'detection'),
  'security.advice': event('configuration', 'info', 'advice'),
}

/** Groups of events that the kernel reports, by the first part of their names. */
const KERNEL = new Set([
  'process',
  'network',
  'dns',
  'tls',
  'http',
  'file',
  'capability',
  'privilege',
  'namespace',
  'mount',
  'module',
  'memfd',
  'bpf',
  'io_uring',
])

/** `process` of `process.exec`. */
export function groupOf(eventName: string): string {
  const dot = eventName.indexOf('.')
  return dot < 0 ? eventName : eventName.slice(0, dot)
}

export function isFromKernel(eventName: string): boolean {
  return KERNEL.has(groupOf(eventName))
}

/** A name that is not in the list is a log line. */
export function classOf(eventName: string): EventClass {
  const known = Object.hasOwn(EVENT_CLASSES, eventName) ? EVENT_CLASSES[eventName] : undefined
  return known ?? (EVENT_CLASSES['log'] as EventClass)
}
