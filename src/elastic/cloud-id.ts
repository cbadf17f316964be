/** Elastic's cloud ID: `name:base64(host$elasticsearch$kibana)`. */

/** The URL of Elasticsearch; undefined for what is no cloud ID. */
export function cloudUrl(cloudId: string): string | undefined {
  const encoded = cloudId.slice(cloudId.lastIndexOf(':') + 1)
  if (!/^[A-Za-z0-9+/]+=*$/.test(encoded)) return undefined
  const [host = '', elasticsearch = ''] = Buffer.from(encoded, 'base64').toString('utf8').split('$')
  const [name, port = '443'] = host.split(':')
  const [id, ownPort = port] = elasticsearch.split(':')
  if (!/^[\w.-]+$/.test(name ?? '') || !/^[\w-]+$/.test(id ?? '')) return undefined
  return URL.parse(`https://${id}.${name}:${ownPort}`)?.href
}
