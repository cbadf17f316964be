/** Sockets and flows as records. The source is who began, the destination who was asked. */
import type { EventName } from '../../records/event-names.ts'
import { oneLine } from '../../records/one-line.ts'
import type { Attributes, LogRecord } from '../../records/record.ts'
import { SEVERITY } from '../../records/severity.ts'
import { AF, address, i32, text, u16, u32, u64 } from '../decode/read.ts'
import { HEADER, SOCK } from '../layout/offsets.ts'
import { SOCK_OP } from '../layout/values.ts'
import type { RingMemory } from '../memory.ts'
import type { Actor } from '../process/actor.ts'
import { beginAttributes, type Desk, finishPlain, from, who } from './draft.ts'
import { errorName, familyName, socketTypeName, transportName } from './words.ts'

/** A connect that goes on by itself. */
const IN_PROGRESS = -115

/** A name for an address in a network namespace. */
export type NameOf = (netns: number, address: string) => string | undefined

/** The two ends of `struct weir_endpoints` at `ep`; returns how they are written in a line, printable. */
export function addEndpoints(
  attributes: Attributes,
  memory: RingMemory,
  ep: number,
  isIngress: boolean,
  name: (address: string) => string | undefined,
  /** Nobody has begun anything: a listener's own end is all there is. */
  isOwn = false,
): { readonly local: string; readonly remote: string } {
  const family = u16(memory, ep + FAMILY)
  const local = address(memory, ep, family)
  const remote = address(memory, ep + REMOTE, family)
  const localPort = u16(memory, ep + PORT)
  const remotePort = u16(memory, ep + REMOTE + PORT)
  const domain = name(remote)
  if (isIngress) {
    if (!isOwn) addSource(attributes, remote, remotePort, domain)
    addDestination(attributes, local, localPort, undefined)
  } else {
    addSource(attributes, local, localPort, undefined)
    addDestination(attributes, remote, remotePort, domain)
  }
  attributes['network.transport'] = transportName(u16(memory, ep + PROTOCOL))
  attributes['network.type'] = isV6(local) || isV6(remote) ? 'ipv6' : 'ipv4'
  if (!isOwn) attributes['weir.network.direction'] = isIngress ? 'ingress' : 'egress'
  attributes['weir.socket.cookie'] = u64(memory, ep + COOKIE)
  const peer = joined(remote, remotePort)
  return { local: joined(local, localPort), remote: domain === undefined ? peer : `${oneLine(domain)} (${peer})` }
}

function isV6(ip: string): boolean {
  return ip.includes(':')
}

function joined(ip: string, port: number): string {
  const host = isV6(ip) ? `[${ip}]` : ip
  return port === 0 ? host : `${host}:${port}`
}

/** Offsets in `struct weir_endpoints`. */
const REMOTE = SOCK.epRemote - SOCK.ep
const PORT = SOCK.epLocalPort - SOCK.epLocal
const FAMILY = SOCK.epFamily - SOCK.ep
const PROTOCOL = SOCK.epProtocol - SOCK.ep
const COOKIE = SOCK.epCookie - SOCK.ep

function addSource(attributes: Attributes, ip: string, port: number, domain: string | undefined): void {
  attributes['source.address'] = ip
  if (port !== 0) attributes['source.port'] = port
  if (domain !== undefined) attributes['source.domain'] = domain
}

function addDestination(attributes: Attributes, ip: string, port: number, domain: string | undefined): void {
  attributes['destination.address'] = ip
  if (port !== 0) attributes['destination.port'] = port
  if (domain !== undefined) attributes['destination.domain'] = domain
}

const NAMES: Readonly<Record<number, EventName>> = {
  [SOCK_OP.create]: 'network.socket',
  [SOCK_OP.bind]: 'network.bind',
  [SOCK_OP.connect]: 'network.connect',
  [SOCK_OP.accept]: 'network.accept',
  [SOCK_OP.listen]: 'network.listen',
  [SOCK_OP.close]: 'network.close',
  [SOCK_OP.flow]: 'network.flow',
}

export function socketRecord(
  desk: Desk,
  actor: Actor,
  memory: RingMemory,
  at: number,
  size: number,
  nameOf: NameOf,
): LogRecord | undefined {
  const op = u16(memory, at + SOCK.op)
  const eventName = NAMES[op]
  if (eventName === undefined) return undefined
  const attributes = beginAttributes(desk, actor, memory, at)
  const family = u16(memory, at + SOCK.epFamily)
  const ret = i32(memory, at + SOCK.ret)
  if (ret < 0 && ret !== IN_PROGRESS) attributes['error.type'] = errorName(ret)
  attributes['weir.socket.family'] = familyName(family)
  attributes['weir.socket.type'] = socketTypeName(u16(memory, at + SOCK.epType))
  const isInet = family === AF.inet || family === AF.inet6
  const peer = isInet ? addInternet(attributes, memory, at, op, nameOf) : addOther(attributes, memory, at, size, family)
  if (op === SOCK_OP.close || op === SOCK_OP.flow) addTotals(attributes, memory, at, op)
  const failed = ret < 0 && ret !== IN_PROGRESS ? `: ${errorName(ret)}` : ''
  const body = `${who(actor)} ${phrase(op, peer, attributes)}${failed}${from(actor)}`
  const severity = op === SOCK_OP.create ? SEVERITY.low : op === SOCK_OP.close ? SEVERITY.debug : SEVERITY.info
  return finishPlain(desk, actor, memory, at, eventName, severity, body, attributes)
}

interface Ends {
  readonly local: string
  readonly remote: string
}

function addInternet(attributes: Attributes, memory: RingMemory, at: number, op: number, nameOf: NameOf): Ends {
  const netns = u32(memory, at + HEADER.netns)
  const isOwn = op === SOCK_OP.bind || op === SOCK_OP.listen || op === SOCK_OP.create
  const isIngress = isOwn || u16(memory, at + SOCK.ingress) !== 0
  return addEndpoints(attributes, memory, at + SOCK.ep, isIngress, (ip) => nameOf(netns, ip), isOwn)
}

function addOther(attributes: Attributes, memory: RingMemory, at: number, size: number, family: number): Ends {
  attributes['network.transport'] = familyName(family)
  const path = text(memory, at, size, SOCK.path)
  if (path === '') return { local: familyName(family), remote: familyName(family) }
  // An abstract name begins with NUL, and may be padded with them.
  const shown = path.startsWith('\0') ? `@${path.slice(1).replace(/\0+$/, '')}` : path.replace(/\0.*$/s, '')
  attributes['network.peer.address'] = shown
  const printable = oneLine(shown)
  return { local: printable, remote: printable }
}

function addTotals(attributes: Attributes, memory: RingMemory, at: number, op: number): void {
  const sent = u64(memory, at + SOCK.bytesSent)
  const received = u64(memory, at + SOCK.bytesReceived)
  const isIngress = u16(memory, at + SOCK.ingress) !== 0
  attributes['source.bytes'] = isIngress ? received : sent
  attributes['destination.bytes'] = isIngress ? sent : received
  if (op === SOCK_OP.flow) {
    const packetsSent = u64(memory, at + SOCK.packetsSent)
    const packetsReceived = u64(memory, at + SOCK.packetsReceived)
    attributes['source.packets'] = isIngress ? packetsReceived : packetsSent
    attributes['destination.packets'] = isIngress ? packetsSent : packetsReceived
  } else attributes['weir.network.established'] = u32(memory, at + SOCK.established) !== 0
  const opened = u64(memory, at + SOCK.opened)
  if (opened !== 0) attributes['event.duration'] = u64(memory, at + HEADER.ktime) - opened
}

function phrase(op: number, { local, remote }: Ends, attributes: Attributes): string {
  switch (op) {
    case SOCK_OP.create:
      return `makes a socket (${attributes['weir.socket.family']}, ${attributes['weir.socket.type']})`
    case SOCK_OP.bind:
      return `binds ${local}`
    case SOCK_OP.connect:
      return `connects to ${remote}`
    case SOCK_OP.accept:
      return `accepts ${remote}`
    case SOCK_OP.listen:
      return `listens on ${local}`
    case SOCK_OP.close:
      return `closes ${remote} (${attributes['source.bytes']} bytes out, ${attributes['destination.bytes']} in)`
    default:
      return `exchanges ${attributes['network.transport']} with ${remote}`
  }
}
