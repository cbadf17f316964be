import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadText } from './kit.ts'

/** Two receivers, a processor, two exporters and a connector; the pipelines begin on line 6. */
const withPipelines = (pipelines: string, connectors = '{}') =>
  loadText(`receivers: {file_log: {include: [x]}, push: {protocols: {grpc: }}}
processors: {filter: , filter/b: }
exporters: {stdout: , stdout/b: }
connectors: ${connectors}
service: {pipelines: {
 ${pipelines}
 }}
`)

const refused: readonly { name: string; pipelines: string; connectors?: string; said: readonly string[] }[] = [
  {
    name: 'a reference to nothing',
    pipelines: 'logs: {receivers: [push, pusch], processors: [nope], exporters: [stdout]}',
    said: [
      'a.yaml:6:27: service::pipelines::logs: references receiver "pusch" which is not configured; did you mean "push"?',
      'a.yaml:6:48: service::pipelines::logs: references processor "nope" which is not configured',
    ],
  },
  {
    name: 'a reference to a component of another kind',
    pipelines: 'logs: {receivers: [filter], exporters: [stdout]}',
    said: [
      'a.yaml:6:21: service::pipelines::logs: references receiver "filter" which is not configured; filter is configured in processors',
    ],
  },
  {
    name: 'a component twice in a list',
    pipelines: 'logs: {receivers: [push, push], processors: [filter, filter/b, filter], exporters: [stdout]}',
    said: [
      'a.yaml:6:27: service::pipelines::logs: references receiver "push" multiple times',
      'a.yaml:6:65: service::pipelines::logs: references processor "filter" multiple times',
    ],
  },
  {
    name: 'a pipeline without receivers or exporters',
    pipelines: 'logs: {processors: [filter]}, logs/b: {receivers: [], exporters: }, logs/c: ',
    said: [
      'a.yaml:6:2: service::pipelines::logs: must have at least one exporter',
      'a.yaml:6:2: service::pipelines::logs: must have at least one receiver',
      'a.yaml:6:41: service::pipelines::logs/b: must have at least one receiver',
      'a.yaml:6:56: service::pipelines::logs/b: must have at least one exporter',
      'a.yaml:6:70: service::pipelines::logs/c: must have at least one exporter',
      'a.yaml:6:70: service::pipelines::logs/c: must have at least one receiver',
    ],
  },
  {
    name: 'a signal that is not carried',
    pipelines: 'traces: {receivers: [push], exporters: [stdout]}, log: {}, logs/: {}',
    said: [
      'a.yaml:6:2: service::pipelines::traces: pipelines of traces are not supported: pipelines here carry logs; write "logs" or "logs/name"',
      'a.yaml:6:52: service::pipelines::log: unknown signal "log": pipelines here carry logs; write "logs" or "logs/name"',
      'a.yaml:6:61: service::pipelines::logs/: in "logs/" id: the part after / should not be empty',
    ],
  },
  {
    name: 'a list that is none, and an unknown key',
    pipelines: 'logs: {receivers: push, exporter: [stdout], exporters: [5]}',
    said: [
      'a.yaml:6:20: service::pipelines::logs::receivers: expected a list of ids; write it as a list: [id], found "push"',
      'a.yaml:6:26: service::pipelines::logs::exporter: unknown key "exporter"; did you mean "exporters"?',
      'a.yaml:6:58: service::pipelines::logs::exporters::0: expected the id of a component, found 5',
    ],
  },
  {
    name: 'a connector that nothing listens to',
    pipelines: 'logs: {receivers: [push], exporters: [forward, stdout]}',
    connectors: '{forward: }',
    said: [
      'a.yaml:4:14: connectors::forward: connector "forward" used as exporter in [logs] pipeline but not used in any supported receiver pipeline',
    ],
  },
  {
    name: 'a connector that nothing feeds',
    pipelines: 'logs: {receivers: [push, forward], exporters: [stdout]}',
    connectors: '{forward: }',
    said: [
      'a.yaml:4:14: connectors::forward: connector "forward" used as receiver in [logs] pipeline but not used in any supported exporter pipeline',
    ],
  },
  {
    name: 'a circle through connectors',
    pipelines:
      'logs: {receivers: [push, forward/b], exporters: [forward]}, logs/b: {receivers: [forward], exporters: [forward/b, stdout]}',
    connectors: '{forward: , forward/b: }',
    said: [
      'a.yaml:6:2: service::pipelines::logs: cycle detected: records would go round for ever through logs -> forward (connector) -> logs/b -> forward/b (connector) -> logs',
    ],
  },
  {
    name: 'a pipeline that feeds itself',
    pipelines: 'logs: {receivers: [push, forward], exporters: [forward, stdout]}',
    connectors: '{forward: }',
    said: [
      'a.yaml:6:2: service::pipelines::logs: cycle detected: records would go round for ever through logs -> forward (connector) -> logs',
    ],
  },
]
for (const { name, pipelines, connectors, said } of refused) {
  test(`${name} is refused at its place`, () => assert.deepEqual(withPipelines(pipelines, connectors).said, said))
}

test('a connector joins two pipelines, and is told apart from what it stands among', () => {
  const { config, said } = withPipelines(
    'logs: {receivers: [push], exporters: [stdout, forward]}, logs/b: {receivers: [forward, file_log], exporters: [stdout/b]}',
    '{forward: }',
  )
  assert.deepEqual(said, [])
  const kinds = (id: string, list: 'receivers' | 'exporters') =>
    config?.pipelines.get(id)?.[list].map((each) => `${each.kind} ${each.id}`)
  assert.deepEqual(kinds('logs', 'exporters'), ['exporter stdout', 'connector forward'])
  assert.deepEqual(kinds('logs/b', 'receivers'), ['connector forward', 'receiver file_log'])
})

test('components that nothing uses are warnings', () => {
  const { said, warned } = withPipelines('logs: {receivers: [push], exporters: [stdout]}', '{forward: }')
  assert.deepEqual(said, [])
  assert.deepEqual(warned, [
    'a.yaml:1:13: receivers::file_log: is configured but not used in any pipeline',
    'a.yaml:2:14: processors::filter: is configured but not used in any pipeline',
    'a.yaml:2:24: processors::filter/b: is configured but not used in any pipeline',
    'a.yaml:3:23: exporters::stdout/b: is configured but not used in any pipeline',
    'a.yaml:4:14: connectors::forward: is configured but not used in any pipeline',
  ])
})

test('no pipeline at all is an error where the service stands', () => {
  assert.deepEqual(loadText('receivers: {}\nservice: {pipelines: }\n').said, [
    'a.yaml:2:22: service::pipelines: service must have at least one pipeline',
  ])
  assert.deepEqual(loadText('receivers: {}\nservice: 5\n').said, ['a.yaml:2:1: service: expected a map, found 5'])
})

test('an unknown type is one error: its references are not blamed', () => {
  assert.deepEqual(
    loadText(`receivers: {push: {protocols: {grpc: }}}
processors: {batch: , otlp_http: }
exporters: {stdout: , sdtout/x: }
service: {pipelines: {logs: {receivers: [push], processors: [batch, otlp_http], exporters: [stdout, sdtout/x]}}}
`).said,
    [
      'a.yaml:2:14: processors::batch: unknown type: "batch" for id: "batch" (valid values: [filter]); exporters batch by themselves, so remove this and its references',
      'a.yaml:2:23: processors::otlp_http: unknown type: "otlp_http" for id: "otlp_http" (valid values: [filter]); otlp_http is one of the exporters',
      'a.yaml:3:23: exporters::sdtout/x: unknown type: "sdtout" for id: "sdtout/x" (valid values: [otlp_http, stdout]); did you mean "stdout"?',
    ],
  )
})
