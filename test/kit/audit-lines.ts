/** Small audit events that no default filter drops, each with an id that says which it is. */

export function auditLine(id: string, more: object = {}): string {
  return JSON.stringify({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    auditID: id,
    stage: 'ResponseComplete',
    requestURI: '/api/v1/namespaces/shop/secrets/db',
    verb: 'delete',
    user: { username: 'alice', groups: ['system:authenticated'] },
    sourceIPs: ['203.0.113.7'],
    userAgent: 'kubectl/v1.31.0',
    objectRef: { resource: 'secrets', namespace: 'shop', name: 'db', apiVersion: 'v1' },
    responseStatus: { metadata: {}, code: 200 },
    requestReceivedTimestamp: '2026-11-02T03:00:00.000001Z',
    stageTimestamp: '2026-11-02T03:00:00.004002Z',
    ...more,
  })
}

/** Events `from` to `to - 1`, each with its newline. */
export function auditLog(from: number, to: number, more: object = {}): string {
  let text = ''
  for (let i = from; i < to; i++) text += `${auditLine(`e${i}`, more)}\n`
  return text
}

/** What `log.record.uid` of those events is. */
export function uids(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `e${from + i}/ResponseComplete`)
}
