/** Takes secrets and personal data out of records: attributes, resource, body, and the names of attributes. */

import { defineProcessor } from '../../src/component.ts'
import { mapRecords } from '../../src/flow/operators.ts'
import { boundedCache } from '../../src/records/bounded-cache.ts'
import { internResource, internScope } from '../../src/records/interning.ts'
import type { Attributes, LogRecord, Resource, Scope } from '../../src/records/record.ts'
import { createMasks } from '../../src/redaction/mask.ts'
import { createScanner } from '../../src/redaction/scan.ts'
import { createBlocked } from './blocked.ts'
import { config, type RedactionConfig } from './config.ts'
import { createKeyRules } from './keys.ts'
import { createWalker, type Walker } from './redact.ts'
import { Tally } from './summary.ts'

export const redaction = defineProcessor({
  type: 'redaction',
  stability: 'beta',
  summary: 'Finds and masks tokens, keys, cards and what else the configuration blocks.',
  config,
  unsupported: {
    url_sanitizer: 'is not available; mask the varying parts of URLs with blocked_values',
    db_sanitizer:
      'is not available; mask statements with blocked_values, or their attributes with blocked_key_patterns',
  },
  examples: [
    { allow_all_keys: true },
    {
      allow_all_keys: true,
      ignored_keys: ['aws.access_key_id'],
      blocked_key_patterns: ['(?i)^http\\.request\\.header\\.(cookie|x-api-key)$'],
      blocked_values: ['\\b\\d{3}-\\d{2}-\\d{4}\\b'],
      summary: 'info',
    },
    {
      allowed_keys: ['log.record.uid', 'k8s.namespace.name', 'user.name', 'description'],
      detectors: ['jwt', 'bearer_token', 'email'],
      hash_function: 'sha3',
      summary: 'debug',
    },
  ],
  create(options, context) {
    const redact = createRedactor(options, (rule) => context.count('weir_redaction_matches', 1, { rule }))
    return { operator: () => mapRecords(context, redact) }
  },
})

const KNOWN_TEXTS = 1024

/** Changes the record, which the pipeline owns; what is shared with others is exchanged, never changed. */
function createRedactor(options: RedactionConfig, found: (rule: string) => void): (record: LogRecord) => LogRecord {
  const masks = createMasks(options.hash_function, options.hmac_key)
  const { detectors, allowed_values: allowed, blocked_values, max_scan_size: maxScan } = options
  const scanner = createScanner({ detectors, masks, allowed, found })
  const blocked = createBlocked({ blocked: blocked_values, allowed, maxScan, mask: masks.mask, found })
  const rules = createKeyRules(options, scanner.detect)
  const walker = createWalker({ config: options, scanner, blocked, masks, rules, found })
  const isSilent = options.summary === 'silent'
  const resourceOf = exchangingResources(walker, isSilent)
  const name = boundedCache(KNOWN_TEXTS, scanner.detect)
  const scopeOf = exchangingScopes(name)
  const tally = new Tally()
  const bodyTally = new Tally()

  return (record) => {
    tally.clear()
    bodyTally.clear()
    record.attributes = walker.attributes(record.attributes, tally)
    if (options.body) record.body = walker.body(record.body, bodyTally)
    record.resource = resourceOf(record.resource)
    record.instrumentationScope = scopeOf(record.instrumentationScope)
    record.eventName = name(record.eventName)
    record.severityText = name(record.severityText)
    if (!tally.isEmpty) close(tally, record.attributes, 'redaction', isSilent)
    if (!bodyTally.isEmpty) close(bodyTally, record.attributes, 'redaction.body', isSilent)
    return record
  }
}

function close(tally: Tally, into: Attributes, prefix: string, isSilent: boolean): void {
  if (isSilent) tally.clear()
  else tally.flush(into, prefix)
}

/** Each resource is looked at once. */
function exchangingResources(walker: Walker, isSilent: boolean): (resource: Resource) => Resource {
  const known = new WeakMap<Resource, Resource>()
  const tally = new Tally()
  return (resource) => {
    const before = known.get(resource)
    if (before !== undefined) return before
    const attributes = resource.attributes as Attributes
    let clean = walker.attributes(attributes, tally)
    if (!tally.isEmpty && !isSilent) {
      clean = { ...clean }
      tally.flush(clean, 'redaction')
    }
    tally.clear()
    const made = clean === attributes ? resource : internResource(clean)
    known.set(resource, made)
    return made
  }
}

function exchangingScopes(clean: (text: string) => string): (scope: Scope) => Scope {
  const known = new WeakMap<Scope, Scope>()
  return (scope) => {
    const before = known.get(scope)
    if (before !== undefined) return before
    const name = clean(scope.name)
    const version = scope.version === undefined ? undefined : clean(scope.version)
    const made = name === scope.name && version === scope.version ? scope : internScope(name, version)
    known.set(scope, made)
    return made
  }
}
