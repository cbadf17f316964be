import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Container } from '../../../src/ebpf/container/containers.ts'
import {
  containerDecision,
  decidesContainers,
  NO_RULES,
  type RuleSet,
  ruleConfig,
} from '../../../src/ebpf/sensing/rules.ts'
import { internResource } from '../../../src/records/interning.ts'

const rules = (include: Partial<RuleSet>, exclude: Partial<RuleSet> = {}) => ({
  include: { ...NO_RULES, ...include },
  exclude: { ...NO_RULES, ...exclude },
})

const ID = 'a'.repeat(64)
function container(names: Container['names'], enrichment?: string): Container {
  return {
    containerId: ID,
    runtime: 'containerd',
    podUid: undefined,
    qosClass: undefined,
    names,
    label: '',
    resource: internResource(enrichment === undefined ? {} : { 'weir.k8s.enrichment': enrichment }),
  } as unknown as Container
}
const WEB = container({ namespace: 'shop', pod: 'web-1', container: 'nginx' })

const DECISIONS: [string, ReturnType<typeof rules>, Container, boolean][] = [
  ['without rules it is reported', rules({}), WEB, true],
  ['of a namespace that is included', rules({ namespaces: ['shop'] }), WEB, true],
  ['of a namespace that is not', rules({ namespaces: ['shops', 'sho'] }), WEB, false],
  ['of a namespace by a part of its name', rules({ namespaces: ['sh*'] }), WEB, true],
  ['of an excluded namespace', rules({}, { namespaces: ['shop'] }), WEB, false],
  ['exclusions win', rules({ pods: ['web-*'] }, { containers: ['nginx'] }), WEB, false],
  ['one match of several lists is enough', rules({ namespaces: ['other'], containers: ['nginx'] }), WEB, true],
  ['by its id', rules({ containers: [`${'a'.repeat(12)}*`] }), container(undefined), true],
  ['whose names are looked for', rules({ namespaces: ['shop'] }), container(undefined, 'pending'), true],
  ['whose names were not found', rules({ namespaces: ['shop'] }), container(undefined, 'missing'), false],
  ['of no pod at all', rules({ namespaces: ['shop'] }), container(undefined), false],
  ['a dot is a dot', rules({ pods: ['web.1'] }), WEB, false],
]

suite('a container', () => {
  for (const [name, set, one, expected] of DECISIONS) {
    test(`${name}: ${expected ? 'reported' : 'not reported'}`, () => {
      assert.equal(containerDecision(set)(one), expected)
    })
  }
})

test('the kernel compares only what has rules', () => {
  assert.deepEqual(ruleConfig(rules({})), { hasPathRules: 0, hasBinaryRules: 0, hasAddressRules: 0, hasScopes: 0 })
  assert.deepEqual(ruleConfig(rules({ ports: [443] }, { binaries: ['/bin/x'], namespaces: ['a'], cidrs: ['::1'] })), {
    hasPathRules: 0,
    hasBinaryRules: 1,
    hasAddressRules: 2,
    hasScopes: 1,
  })
  assert(!decidesContainers(rules({ ports: [1] })))
})
