/** Changes attributes of records and of their resources, by a list of actions. */
import { defineProcessor } from '../../src/component.ts'
import { compileCondition, type Predicate } from '../../src/conditions/compile.ts'
import { mapRecords } from '../../src/flow/operators.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { type Change, compileAction } from './actions.ts'
import { type Action, config } from './config.ts'
import { exchange, promote } from './resources.ts'

type Step = (record: LogRecord) => void

const MATCH = 'write the condition as `when:`, for the whole processor or for one action'

export const attributes = defineProcessor({
  type: 'attributes',
  stability: 'beta',
  summary: 'Sets, removes, renames, hashes and converts attributes of records and resources.',
  config,
  unsupported: {
    include: MATCH,
    exclude: `${MATCH}, with \`not:\` around it`,
    'actions.*.from_context':
      'a record does not know the request it came with; let the receiver write an attribute and use from_attribute',
  },
  examples: [
    {
      actions: [
        { key: 'k8s.cluster.name', action: 'upsert', value: 'prod-eu-1', target: 'resource' },
        { key: 'user.email', action: 'hash' },
        { action: 'delete', pattern: '^http\\.request\\.header\\.' },
        { key: 'old.name', action: 'rename', new_key: 'new.name' },
      ],
    },
    {
      when: { event_name: 'k8s.audit' },
      actions: [
        { key: 'user.name', action: 'extract', pattern: '^system:serviceaccount:(?<namespace>[^:]+):(?<account>.+)$' },
        { key: 'team', action: 'insert', value: 'platform', when: { attribute: 'namespace', prefix: 'kube-' } },
      ],
    },
  ],
  create({ actions, when }, context) {
    const steps = compileSteps(actions, () => context.count('weir_attributes_kept_on_record', 1))
    const isMeant = when === undefined ? undefined : compileCondition(when)
    const apply = (record: LogRecord): LogRecord => {
      if (isMeant === undefined || isMeant(record)) for (const step of steps) step(record)
      return record
    }
    return { operator: () => mapRecords(context, apply) }
  },
})

function compileSteps(actions: readonly Action[], onKept: () => void): Step[] {
  const steps: Step[] = []
  let shared: Change[] | undefined
  for (const action of actions) {
    const { target, from_attribute, when } = action
    if (target === 'resource' && from_attribute === undefined && when === undefined) {
      // Neighbours that depend on the resource alone are one lookup together.
      if (shared === undefined) {
        shared = []
        steps.push(exchange(shared))
      }
      shared.push(compileAction(action))
      continue
    }
    shared = undefined
    steps.push(guarded(stepOf(action, onKept), when === undefined ? undefined : compileCondition(when)))
  }
  return steps
}

function stepOf(action: Action, onKept: () => void): Step {
  if (action.target === 'resource') {
    return action.from_attribute === undefined ? exchange([compileAction(action)]) : promote(action, onKept)
  }
  const change = compileAction(action)
  return (record) => void change(record.attributes, record)
}

function guarded(step: Step, holds: Predicate | undefined): Step {
  if (holds === undefined) return step
  return (record) => {
    if (holds(record)) step(record)
  }
}
