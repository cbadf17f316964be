/**
 * What `weir elasticsearch setup` writes: index templates made of component templates, and a lifecycle policy.
 *
 * The priorities stand above that of the template that Elasticsearch brings along for `logs-*-*` (100) and below those
 * of Elastic's integrations (200): where the Kubernetes integration is installed, its own template and pipeline stay
 * in charge of audit events.
 */
import { ecsMappings, type Json, otelMappings, rawMappings, type Server } from '../ecs/mapping.ts'

export type Mode = 'ecs' | 'otel' | 'raw'

/** Datasets of the modes never meet in one data stream: their mappings differ. */
export const SUFFIX: Readonly<Record<Mode, string>> = { ecs: '', otel: '.otel', raw: '.raw' }

export const POLICY = 'weir-logs'
export const CUSTOM = 'weir@custom'

export interface Templates {
  readonly componentTemplates: Readonly<Record<string, Json>>
  readonly indexTemplates: Readonly<Record<string, Json>>
}

export interface TemplateOptions {
  /** Datasets that are configured besides Weir's own. */
  readonly datasets?: readonly string[]
}

const OWN_DATASETS = ['weir.*', 'kubernetes.audit_logs']

/** Different ones, because servers refuse equal ones of patterns that may meet. */
const PRIORITIES: Readonly<Record<Mode, number>> = { ecs: 150, otel: 160, raw: 170 }

export function templates(server: Server, { datasets = [] }: TemplateOptions = {}): Templates {
  const all = [...new Set([...OWN_DATASETS, ...datasets])]
  const mappings = { ecs: ecsMappings(server), otel: otelMappings(server), raw: rawMappings(server) }
  const modes = Object.keys(mappings) as Mode[]
  return {
    componentTemplates: {
      'weir@settings': { template: { settings: settingsOf(server) }, _meta: META },
      ...Object.fromEntries(
        modes.map((mode) => [`weir-${mode}@mappings`, { template: { mappings: mappings[mode] }, _meta: META }]),
      ),
    },
    indexTemplates: Object.fromEntries(
      modes.map((mode) => [
        `weir-${mode}`,
        {
          index_patterns: all.map((dataset) => `logs-${dataset}${SUFFIX[mode]}-*`),
          data_stream: {},
          priority: PRIORITIES[mode],
          // The last one wins: it belongs to the user, and is written empty once.
          composed_of: ['weir@settings', `weir-${mode}@mappings`, CUSTOM],
          _meta: META,
        },
      ]),
    ),
  }
}

export const META: Json = {
  description: 'Written by weir elasticsearch setup; change weir@custom instead.',
  managed_by: 'weir',
}

function settingsOf({ product }: Server): Json {
  return {
    index: {
      codec: 'best_compression',
      query: { default_field: ['message'] },
      ...(product === 'elasticsearch' ? { lifecycle: { name: POLICY } } : {}),
    },
  }
}

/** Index lifecycle management of Elasticsearch. */
export function ilmPolicy({ version: [major, minor] }: Server, retention: string): Json {
  const size = major > 7 || minor >= 13 ? 'max_primary_shard_size' : 'max_size'
  return {
    policy: {
      phases: {
        hot: { min_age: '0ms', actions: { rollover: { [size]: '50gb', max_age: '30d' } } },
        delete: { min_age: retention, actions: { delete: {} } },
      },
    },
  }
}

/** Index state management of OpenSearch. */
export function ismPolicy(retention: string, options: TemplateOptions = {}): Json {
  const patterns = [...new Set([...OWN_DATASETS, ...(options.datasets ?? [])])].flatMap((dataset) => [
    `logs-${dataset}-*`,
    ...(dataset.endsWith('*') ? [] : [`logs-${dataset}.otel-*`, `logs-${dataset}.raw-*`]),
  ])
  return {
    policy: {
      description: META['description'],
      default_state: 'hot',
      states: [
        {
          name: 'hot',
          actions: [{ rollover: { min_size: '50gb', min_index_age: '30d' } }],
          transitions: [{ state_name: 'delete', conditions: { min_index_age: retention } }],
        },
        { name: 'delete', actions: [{ delete: {} }], transitions: [] },
      ],
      ism_template: [{ index_patterns: patterns, priority: 150 }],
    },
  }
}
