/** DNS messages, TLS greetings and HTTP requests as records. */
import type { EventName } from '../../records/event-names.ts'
import type { Attributes, LogRecord } from '../../records/record.ts'
import { SEVERITY } from '../../records/severity.ts'
import { u16, u32 } from '../decode/read.ts'
import type { DnsMessage } from '../layer7/dns.ts'
import type { HttpRequest } from '../layer7/http.ts'
import type { Layer7 } from '../layer7/streams.ts'
import type { ClientHello } from '../layer7/tls.ts'
import { HEADER, L7 } from '../layout/offsets.ts'
import type { RingMemory } from '../memory.ts'
import type { Actor } from '../process/actor.ts'
import { beginAttributes, type Desk, finish, from, who } from './draft.ts'
import { addEndpoints, type NameOf } from './network.ts'

/** One packet may hold several: their uids differ by a counter. */
export function layer7Record(
  desk: Desk,
  actor: Actor,
  memory: RingMemory,
  at: number,
  found: Layer7,
  nameOf: NameOf,
  latency: number | undefined,
  index: number,
): LogRecord {
  const attributes = beginAttributes(desk, actor, memory, at)
  if (index > 0) attributes['log.record.uid'] = `${attributes['log.record.uid']}.${index}`
  const netns = u32(memory, at + HEADER.netns)
  const isIngress = u16(memory, at + L7.ingress) !== 0
  // A response goes back: who began is the other end.
  const isReply = found.kind === 'dns' && found.message.isResponse
  const ends = addEndpoints(attributes, memory, at + L7.ep, isIngress !== isReply, (ip) => nameOf(netns, ip))
  const [eventName, phrase] = describe(attributes, found, ends.remote)
  if (latency !== undefined) attributes['event.duration'] = latency
  const body = `${who(actor)} ${isIngress ? 'is sent' : 'sends'} ${phrase}${from(actor)}`
  return finish(desk, actor, memory, at, eventName, SEVERITY.info, body, attributes)
}

function describe(attributes: Attributes, found: Layer7, remote: string): readonly [EventName, string] {
  if (found.kind === 'dns') return dns(attributes, found.message)
  if (found.kind === 'tls') return tls(attributes, found.hello, remote)
  return http(attributes, found.request, remote)
}

function dns(attributes: Attributes, message: DnsMessage): readonly [EventName, string] {
  const [question] = message.questions
  attributes['network.protocol.name'] = 'dns'
  attributes['weir.dns.id'] = message.id
  if (question !== undefined) {
    attributes['dns.question.name'] = question.name
    attributes['dns.question.type'] = question.type
  }
  const asked = question === undefined ? 'nothing' : `${question.name} ${question.type}`
  if (!message.isResponse) return ['dns.query', `the DNS question ${asked}`]
  const answers = message.answers.map(({ data }) => data)
  attributes['dns.response.code'] = message.rcode
  if (answers.length > 0) attributes['dns.answers'] = answers
  return ['dns.response', `the DNS answer ${asked}: ${answers.length > 0 ? answers.join(', ') : message.rcode}`]
}

function tls(attributes: Attributes, hello: ClientHello, remote: string): readonly [EventName, string] {
  attributes['network.protocol.name'] = 'tls'
  if (hello.serverName !== undefined) attributes['tls.client.server_name'] = hello.serverName
  if (hello.alpn.length > 0) attributes['weir.tls.alpn'] = hello.alpn as string[]
  attributes['weir.tls.ech'] = hello.hasEch
  attributes['weir.tls.version'] = hello.version
  attributes['weir.tls.ja4'] = hello.ja4
  const name = hello.serverName ?? remote
  return ['tls.client_hello', `a TLS greeting for ${name}${hello.hasEch ? ' (the name inside is encrypted)' : ''}`]
}

function http(attributes: Attributes, request: HttpRequest, remote: string): readonly [EventName, string] {
  attributes['network.protocol.name'] = 'http'
  attributes['network.protocol.version'] = request.version
  attributes['http.request.method'] = request.method
  attributes['url.path'] = request.path
  if (request.host !== undefined) attributes['url.domain'] = request.host
  if (request.port !== undefined) attributes['url.port'] = request.port
  if (request.userAgent !== undefined) attributes['user_agent.original'] = request.userAgent
  return ['http.request', `${request.method} ${request.host ?? remote}${request.path}`]
}
