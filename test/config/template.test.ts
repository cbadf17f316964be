/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: expansions are what is tested. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Part, parseTemplate } from '../../src/config/template.ts'

const of = (...expression: Part[]): Part => ({ expression })

const cases: readonly { text: string; parts: readonly Part[] | undefined }[] = [
  { text: '', parts: [] },
  { text: 'plain {text} $x', parts: ['plain {text} $x'] },
  { text: '${A}', parts: [of('A')] },
  { text: 'a${A}b${B}', parts: ['a', of('A'), 'b', of('B')] },
  { text: '${env:${B}}', parts: [of('env:', of('B'))] },
  { text: '$$${A}', parts: ['$', of('A')] },
  { text: '$${A}', parts: ['${A}'] },
  { text: '${yaml:{a: {b: 1}}}', parts: [of('yaml:{a: {b: 1}}')] },
  { text: '${A:-{}', parts: [of('A:-{')] },
  { text: '${A:-{}}', parts: [of('A:-{}')] },
  { text: '${A}}', parts: [of('A'), '}'] },
  { text: '${A', parts: undefined },
  { text: '${A${B}', parts: undefined },
  { text: '${'.repeat(21) + '}'.repeat(21), parts: undefined },
]
for (const { text, parts } of cases) {
  test(`${JSON.stringify(text.slice(0, 30))} is ${parts === undefined ? 'refused' : 'taken apart'}`, () => {
    assert.deepEqual(parseTemplate(text), parts)
  })
}

test('a hostile text takes no time', () => {
  const begun = performance.now()
  parseTemplate('${{'.repeat(300_000))
  parseTemplate('{$$}'.repeat(300_000))
  assert.ok(performance.now() - begun < 2000)
})
