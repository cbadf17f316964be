import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { compileTemplate as compile, faultsOf, type Template } from '../../../exporters/webhook/template.ts'
import { internResource } from '../../../src/records/interning.ts'
import { record } from '../../kit/records.ts'

const compileTemplate = (template: Template) => compile(template, (name) => `<${name}>`)

const finding = record(
  {
    'k8s.pod.name': 'web-1',
    score: 97,
    isNew: true,
    tags: ['a', 'b'],
    map: { x: 1 },
    none: null,
    empty: '',
    'quo"te': 'q',
  },
  {
    hrTime: [1_764_000_000, 5],
    eventName: 'security.detection',
    severityNumber: 17,
    severityText: 'ERROR',
    body: 'shell in web-1',
    resource: internResource({ 'k8s.cluster.name': 'production' }),
  },
)
const fill = (template: Template): unknown => compileTemplate(template)(finding)

const cases: [template: Template, expected: unknown][] = [
  ['{{ body }}', 'shell in web-1'],
  ['{{body}}!', 'shell in web-1!'],
  ['no placeholder', 'no placeholder'],
  ['{{ attributes["k8s.pod.name"] }} in {{ resource["k8s.cluster.name"] }}', 'web-1 in production'],
  ["{{ attributes['k8s.pod.name'] }}", 'web-1'],
  ['{{ attributes["quo\\"te"] }}', 'q'],
  [
    '{{ time }} {{ severity }} {{ event_name }} {{ level }} {{ scope }}',
    '2025-11-24T16:00:00.000000005Z ERROR security.detection error test',
  ],
  ['{{ severity_number }}', 17],
  ['{{ attributes["score"] }}', 97],
  ['score {{ attributes["score"] }}', 'score 97'],
  ['{{ attributes["isNew"] }}', true],
  ['{{ attributes["tags"] }}', ['a', 'b']],
  ['{{ attributes["map"] }}', { x: 1 }],
  ['map: {{ attributes["map"] }}', 'map: {"x":1}'],
  ['{{ attributes["missing"] }}', undefined],
  ['-{{ attributes["missing"] }}-', '--'],
  ['{{ attributes["none"] | default: "nothing" }}', 'nothing'],
  ['{{ attributes["empty"] | default: "nothing" }}', 'nothing'],
  ['{{ attributes["missing"] | default: body }}', 'shell in web-1'],
  ['{{ attributes["missing"] | default: attributes["k8s.pod.name"] | truncate: 4 }}', 'web…'],
  ['{{ attributes["missing"] | default: 5 }}', 5],
  ['{{ attributes["missing"] | default: "}}" }}', '}}'],
  ['{{ body | truncate: 100 }}', 'shell in web-1'],
  ['{{ attributes["constructor"] }}{{ attributes["__proto__"] }}', ''],
  [
    { a: ['{{ body }}', '{{ attributes["missing"] }}', 1, null, true], gone: '{{ attributes["missing"] }}' },
    { a: ['shell in web-1', 1, null, true] },
  ],
  ['{{ secret["key"] }}', '<key>'],
  ['{{ secret["key"] | truncate: 2 }}!', '<…!'],
  [7, 7],
  [null, null],
]
suite('a template', () => {
  for (const [template, expected] of cases) {
    test(`${JSON.stringify(template)} becomes ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(faultsOf(template), [])
      assert.deepEqual(fill(template), expected)
    })
  }
  test('{{ record }} is the whole record', () => {
    const { record: whole } = fill({ record: '{{ record }}' }) as { record: { body: string; attributes: object } }
    assert.equal(whole.body, 'shell in web-1')
    assert.deepEqual(whole.attributes, { ...finding.attributes })
  })
})

test('no value breaks out of its place', () => {
  const hostile = record({ a: '"}, "admin": true, "x": {"y": "' }, { body: 'a\n"\\\u2028\u0000{{ attributes["a"] }}' })
  const template = { text: 'pod {{ attributes["a"] }}', body: '{{ body }}', fixed: 1 }
  const filled = JSON.parse(JSON.stringify(compileTemplate(template)(hostile)))
  assert.deepEqual(filled, { text: `pod ${hostile.attributes['a']}`, body: hostile.body, fixed: 1 })
})

test('values for a chat mention nobody and hide no link', () => {
  const hostile = record({}, { body: '<!channel> & <https://evil.example|bank>' })
  assert.equal(
    compileTemplate('{{ body | slack }}')(hostile),
    '&lt;!channel&gt; &amp; &lt;https://evil.example|bank&gt;',
  )
  const link = record({}, { body: '[bank](https://evil.example) **x**' })
  assert.equal(compileTemplate('{{ body | markdown }}')(link), '\\[bank\\]\\(https://evil.example\\) \\*\\*x\\*\\*')
})

test('a text is cut between characters', () => {
  const text = compileTemplate('{{ body | truncate: 4 }}')(record({}, { body: 'ab😀cd' })) as string
  assert.equal(text, 'ab…')
  assert(text.isWellFormed())
})

const faults: [template: Template, message: RegExp][] = [
  ['{{ boddy }}', /expected one of body, .*found "boddy"/],
  ['{{ }}', /expected one of/],
  ['{{ body', /no end/],
  ['{{ body }} {{ x', /no end/],
  ['{{ attributes[k8s.pod.name] }}', /cannot read|in quotes/],
  ['{{ attributes["a" }}', /in quotes/],
  ['{{ body["a"] }}', /body has no attributes/],
  ['{{ body | upper }}', /expected one of default, truncate, slack, markdown/],
  ['{{ body | truncate }}', /colon behind truncate/],
  ['{{ body | truncate: "a" }}', /number of characters/],
  ['{{ body | default: }}', /text in quotes/],
  ['{{ body severity }}', /"severity" is not expected here/],
  ['{{ body | }}', /found "the end"/],
  ['{{ constructor }}', /found "constructor"/],
  ['{{ secret }}', /name in quotes, such as secret/],
  ['{{ body | default: secret["key"] }}', /found "secret"/],
  ['{{ body + 1 }}', /cannot read/],
]
suite('a mistake is refused', () => {
  for (const [template, message] of faults) {
    test(JSON.stringify(template), () => {
      const [fault, ...others] = faultsOf({ list: [{ text: template }] })
      assert.match(fault?.message ?? '', message)
      assert.deepEqual([fault?.path, others], [['list', 0, 'text'], []])
      assert.throws(() => compileTemplate(template), message)
    })
  }
  test('a placeholder in a key', () => {
    assert.match(faultsOf({ '{{ body }}': 1 })[0]?.message ?? '', /key cannot hold/)
  })
})
