/** The calls that set a cluster up: who it is, templates, lifecycle policies, each as strict as the real one. */
import { isDeepStrictEqual } from 'node:util'
import { KNOWN_TYPES, type MappingJson } from './bulk-mapping.ts'

export interface Answer {
  readonly status: number
  readonly body: unknown
}

export interface ClusterIdentity {
  readonly product: 'elasticsearch' | 'opensearch'
  readonly version: string
}

export const fault = (status: number, type: string, reason: string): Answer => ({
  status,
  body: { error: { root_cause: [{ type, reason }], type, reason }, status },
})

const ACKNOWLEDGED: Answer = { status: 200, body: { acknowledged: true } }

interface IndexTemplate {
  readonly index_patterns: readonly string[]
  readonly composed_of?: readonly string[]
  readonly priority?: number
  readonly data_stream?: object
  readonly template?: MappingJson
}

function toPattern(pattern: string): RegExp {
  return new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`)
}

export class ClusterAdmin {
  readonly identity: ClusterIdentity
  readonly componentTemplates = new Map<string, MappingJson>()
  readonly indexTemplates = new Map<string, IndexTemplate>()
  readonly policies = new Map<string, { body: MappingJson; seqNo: number }>()
  /** Every change, `PUT path`, in order. */
  readonly writes: string[] = []
  #seqNo = 0

  constructor(identity: ClusterIdentity) {
    this.identity = identity
  }

  /** The mapping and settings for a new data stream; undefined when no template makes one of that name. */
  templateFor(name: string): { mapping: MappingJson; templateName: string } | undefined {
    const matching = [...this.indexTemplates].filter(([, { index_patterns }]) =>
      index_patterns.some((pattern) => toPattern(pattern).test(name)),
    )
    const best = matching.toSorted(([, a], [, b]) => (b.priority ?? 0) - (a.priority ?? 0))[0]
    if (best?.[1].data_stream === undefined) return undefined
    const [templateName, { composed_of = [], template }] = best
    const parts = [...composed_of.map((one) => this.componentTemplates.get(one)?.template), template]
    const mapping = parts.reduce((all, part) => mergeMappings(all, part?.mappings ?? {}), {})
    return { mapping, templateName }
  }

  handle(method: string, path: string, query: URLSearchParams, body: string): Answer {
    const parts = path.split('/').filter((part) => part !== '')
    if (parts.length === 0 && method === 'GET') return { status: 200, body: this.#greeting() }
    const json = body === '' ? undefined : parse(body)
    if (json === null) return fault(400, 'parse_exception', 'the body is no JSON')
    if (method === 'PUT') this.writes.push(path)
    const [first, name = ''] = parts
    if (first === '_component_template') return this.#component(method, decodeURIComponent(name), json)
    if (first === '_index_template') return this.#index(method, decodeURIComponent(name), json)
    const isElastic = this.identity.product === 'elasticsearch'
    if (isElastic && first === '_ilm') return this.#ilm(method, parts[2] ?? '', json)
    if (!isElastic && path.startsWith('/_plugins/_ism/policies/')) return this.#ism(method, parts[3] ?? '', query, json)
    return fault(400, 'illegal_argument_exception', `no handler found for uri [${path}] and method [${method}]`)
  }

  #greeting(): object {
    const { product, version } = this.identity
    const isElastic = product === 'elasticsearch'
    return {
      name: 'test-node',
      cluster_name: 'test',
      version: isElastic
        ? { number: version, build_flavor: 'default', lucene_version: '10.0.0' }
        : { distribution: 'opensearch', number: version, lucene_version: '9.0.0' },
      tagline: isElastic ? 'You Know, for Search' : 'The OpenSearch Project: https://opensearch.org/',
    }
  }

  #component(method: string, name: string, json: MappingJson): Answer {
    const known = this.componentTemplates.get(name)
    if (method === 'GET') {
      if (known === undefined)
        return fault(404, 'resource_not_found_exception', `component template matching [${name}] not found`)
      return { status: 200, body: { component_templates: [{ name, component_template: known }] } }
    }
    if (method !== 'PUT' || json?.template === undefined) return fault(400, 'parse_exception', 'template is required')
    const why = this.#whyNotAMapping(json.template.mappings ?? {})
    if (why !== undefined) return fault(400, 'mapper_parsing_exception', why)
    this.componentTemplates.set(name, json)
    return ACKNOWLEDGED
  }

  #index(method: string, name: string, json: MappingJson): Answer {
    if (method !== 'PUT' || !Array.isArray(json?.index_patterns)) {
      return fault(400, 'action_request_validation_exception', 'index patterns are missing')
    }
    const missing = (json.composed_of ?? []).filter((one: string) => !this.componentTemplates.has(one))
    if (missing.length > 0) {
      return fault(400, 'invalid_index_template_exception', `component templates [${missing}] that do not exist`)
    }
    for (const [other, { index_patterns, priority }] of this.indexTemplates) {
      if (other === name || priority !== json.priority) continue
      if (index_patterns.some((a) => json.index_patterns.some((b: string) => overlap(a, b)))) {
        return fault(
          400,
          'illegal_argument_exception',
          `index template [${name}] has the priority of [${other}] and its patterns`,
        )
      }
    }
    this.indexTemplates.set(name, json)
    return ACKNOWLEDGED
  }

  #ilm(method: string, name: string, json: MappingJson): Answer {
    if (method === 'GET') {
      const known = this.policies.get(name)
      if (known === undefined) return fault(404, 'resource_not_found_exception', `Lifecycle policy not found: ${name}`)
      return { status: 200, body: { [name]: { version: 1, modified_date: '2026-01-01T00:00:00.000Z', ...known.body } } }
    }
    if (method !== 'PUT' || json?.policy?.phases === undefined)
      return fault(400, 'parse_exception', 'phases are missing')
    const [major = 0] = this.identity.version.split('.').map(Number)
    const rollover = json.policy.phases.hot?.actions?.rollover ?? {}
    if (major >= 9 && 'max_size' in rollover) return fault(400, 'illegal_argument_exception', 'max_size')
    this.policies.set(name, { body: json, seqNo: 0 })
    return ACKNOWLEDGED
  }

  #ism(method: string, name: string, query: URLSearchParams, json: MappingJson): Answer {
    const known = this.policies.get(name)
    if (method === 'GET') {
      if (known === undefined) return fault(404, 'status_exception', 'Policy not found')
      // The server fills in what was left out, as the real one does.
      const policy = {
        policy_id: name,
        last_updated_time: 1,
        schema_version: 21,
        error_notification: null,
        ...known.body.policy,
      }
      return { status: 200, body: { _id: name, _version: 1, _seq_no: known.seqNo, _primary_term: 1, policy } }
    }
    if (method !== 'PUT' || !Array.isArray(json?.policy?.states))
      return fault(400, 'parse_exception', 'states are missing')
    const claimed = query.get('if_seq_no')
    if (known !== undefined && claimed !== String(known.seqNo)) {
      return fault(409, 'version_conflict_engine_exception', `[${name}]: version conflict, document already exists`)
    }
    if (known === undefined && claimed !== null)
      return fault(409, 'version_conflict_engine_exception', 'no such policy')
    this.policies.set(name, { body: json, seqNo: this.#seqNo++ })
    return { status: known === undefined ? 201 : 200, body: { _id: name, _seq_no: this.#seqNo - 1, _primary_term: 1 } }
  }

  #whyNotAMapping(mapping: MappingJson): string | undefined {
    let fields = 0
    const visit = (at: MappingJson, path: string): string | undefined => {
      for (const [name, one] of Object.entries<MappingJson>(at.properties ?? {})) {
        fields += 1
        const why = this.#whyNotAType(one, `${path}${name}`) ?? visit(one, `${path}${name}.`)
        if (why !== undefined) return why
      }
      return undefined
    }
    return visit(mapping, '') ?? (fields > 1000 ? 'Limit of total fields [1000] has been exceeded' : undefined)
  }

  #whyNotAType(mapping: MappingJson, path: string): string | undefined {
    const { product, version } = this.identity
    const type = mapping.type ?? 'object'
    const [major = 0, minor = 0] = version.split('.').map(Number)
    const since = (a: number, b: number): boolean => major > a || (major === a && minor >= b)
    const isKnown =
      product === 'elasticsearch'
        ? KNOWN_TYPES.has(type) && type !== 'flat_object' && (type !== 'match_only_text' || since(7, 14))
        : KNOWN_TYPES.has(type) &&
          type !== 'flattened' &&
          (type !== 'flat_object' || since(2, 7)) &&
          (type !== 'constant_keyword' || since(2, 14)) &&
          (type !== 'match_only_text' || since(2, 12))
    if (!isKnown) return `No handler for type [${type}] declared on field [${path}]`
    if (type === 'flat_object' && Object.keys(mapping).length > 1) {
      return `Mapping definition for [${path}] has unsupported parameters`
    }
    if (type === 'constant_keyword' && product === 'opensearch' && mapping.value === undefined) {
      return `Field [${path}] is missing required parameter [value]`
    }
    return type !== 'object' && mapping.properties !== undefined ? `[${path}] has properties` : undefined
  }
}

/** True when one name could match both patterns. */
function overlap(a: string, b: string): boolean {
  if (a === '' || b === '') return [...(a || b)].every((character) => character === '*')
  if (a.startsWith('*')) return overlap(a.slice(1), b) || overlap(a, b.slice(1))
  if (b.startsWith('*')) return overlap(a, b.slice(1)) || overlap(a.slice(1), b)
  return a[0] === b[0] && overlap(a.slice(1), b.slice(1))
}

function mergeMappings(below: MappingJson, above: MappingJson): MappingJson {
  const properties = { ...below.properties }
  for (const [name, one] of Object.entries<MappingJson>(above.properties ?? {})) {
    const both = properties[name]?.properties !== undefined && one.properties !== undefined
    properties[name] = both ? mergeMappings(properties[name], one) : one
  }
  const merged = { ...below, ...above }
  return isDeepStrictEqual(properties, {}) ? merged : { ...merged, properties }
}

function parse(text: string): MappingJson {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
