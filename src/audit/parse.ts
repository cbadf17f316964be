/**
 * Parsing a line without its bodies. The request and response objects are most of a log's bytes, and few records need
 * them, so they are cut out of the text before `JSON.parse` sees it.
 *
 * kube-apiserver writes the fields of an event in the order of the Go struct: …, `objectRef`, `responseStatus`,
 * `requestObject`, `responseObject`, `requestReceivedTimestamp`, `stageTimestamp`, `annotations`. What lies between
 * the first body and the last `requestReceivedTimestamp` goes. That is safe because both cuts must be at the same
 * depth for the rest to parse, quotes inside strings are escaped, and a second `auditID` in the cut (two lines torn
 * into one) refuses it: whenever anything is unusual the line is parsed whole.
 */

import { type AuditEvent, isMap } from './event.ts'

const START = '{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"'
const REQUEST = ',"requestObject":'
const RESPONSE = ',"responseObject":'
const RECEIVED = ',"requestReceivedTimestamp":"'
const AUDIT_ID = '"auditID":"'
const ID = '","auditID":"'
const ANNOUNCED = '","stage":"RequestReceived",'
/** Smaller bodies are not worth two slices. */
const WORTH = 64

/** The line's value, possibly without `requestObject` and `responseObject`. Throws what `JSON.parse` throws. */
export function parseWithoutBodies(line: string): unknown {
  if (!line.startsWith(START)) return JSON.parse(line)
  let body = line.indexOf(REQUEST, START.length)
  if (body < 0) body = line.indexOf(RESPONSE, START.length)
  if (body < 0) return JSON.parse(line)
  const rest = line.lastIndexOf(RECEIVED)
  if (rest - body < WORTH || line.indexOf(AUDIT_ID, body) >= 0) return JSON.parse(line)
  try {
    return JSON.parse(line.slice(0, body) + line.slice(rest))
  } catch {
    return JSON.parse(line)
  }
}

// The beginning of a stored object in a response, again in the order of Go's structs.
const CREATED = /,"responseObject":\{"kind":"(?!Status")\w+","apiVersion":"[\w./-]+","metadata":\{"name":"([\w.:-]+)"/y

/**
 * Gives an event that was parsed without its bodies back what its record says of them: how far something was scaled,
 * which node a pod was bound to, what was decided or asked, what a new object is called. Mostly that is nothing, and
 * for a new object's name the beginning of its text is enough.
 */
export function withNeededBodies(event: AuditEvent, line: string): AuditEvent {
  const { level, verb, objectRef } = event
  if (level === 'Metadata' || !isMap(objectRef)) return event
  const { subresource, resource } = objectRef
  if (typeof subresource === 'string' && subresource !== '')
    return isTold(subresource) ? parseWhole(line, event) : event
  if (verb !== 'create' || typeof resource !== 'string') return event
  if (resource === 'bindings' || resource.endsWith('reviews')) return parseWhole(line, event)
  if (objectRef['name']) return event
  CREATED.lastIndex = Math.max(line.indexOf(RESPONSE), 0)
  const name = CREATED.exec(line)?.[1]
  return name === undefined ? event : { ...event, responseObject: { metadata: { name } } }
}

/** A body that is broken where the rest is whole costs its own words only. */
function parseWhole(line: string, event: AuditEvent): AuditEvent {
  try {
    return JSON.parse(line)
  } catch {
    return event
  }
}

function isTold(subresource: string): boolean {
  return subresource === 'binding' || subresource === 'scale' || subresource === 'approval'
}

/** True for a line that announces a request (`RequestReceived`), as far as that can be told without parsing it. */
export function isAnnouncement(line: string): boolean {
  if (!line.startsWith(START) || !(line.endsWith('Z"}') || line.endsWith('}}'))) return false
  const level = line.indexOf('"', START.length)
  if (!line.startsWith(ID, level)) return false
  const id = line.indexOf('"', level + ID.length)
  return line.startsWith(ANNOUNCED, id) && line.indexOf(AUDIT_ID, id) < 0
}
