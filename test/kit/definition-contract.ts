/** What holds for every component: names, documentation, examples, strictness. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnyDefinition } from '../../src/component.ts'

export function definitionContract(definition: AnyDefinition): void {
  test(`${definition.kind} ${definition.type} is well defined`, () => {
    assert.match(definition.type, /^[a-z][a-z0-9_]{0,62}$/)
    assert.match(definition.summary, /^[A-Z].*\.$/)
    assert(definition.examples.length > 0, 'has an example')
    for (const example of definition.examples) definition.config.parse(example)
    const first = definition.examples[0] as object
    assert.throws(() => definition.config.parse({ ...first, nonsense_key: 1 }), /nonsense_key/)
  })
}
