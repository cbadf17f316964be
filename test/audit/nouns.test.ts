import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { nounOf, withArticle } from '../../src/audit/nouns.ts'

suite('one and many', () => {
  const cases: [string, string, string, boolean | undefined][] = [
    ['pods', 'pod', 'pods', true],
    ['networkpolicies', 'network policy', 'network policies', true],
    ['ingresses', 'ingress', 'ingresses', true],
    ['endpoints', 'endpoints', 'endpoints', true],
    ['storageclasses', 'storage class', 'storage classes', false],
    ['nodes', 'node', 'nodes', false],
    ['virtualservices', 'virtualservice', 'virtualservices', undefined],
    ['gitrepositories', 'gitrepository', 'gitrepositories', undefined],
    ['kafkatopics', 'kafkatopic', 'kafkatopics', undefined],
    ['batches', 'batch', 'batches', undefined],
    ['releases', 'release', 'releases', undefined],
    ['dns', 'dns', 'dns', undefined],
    ['constructor', 'constructor', 'constructor', undefined],
    ['__proto__', '__proto__', '__proto__', undefined],
  ]
  for (const [resource, one, many, namespaced] of cases) {
    test(resource, () => assert.deepEqual(nounOf(resource), { one, many, namespaced }))
  }
})

test('the article follows the sound', () => {
  assert.deepEqual(['pod', 'ingress', 'API service', 'user'].map(withArticle), [
    'a pod',
    'an ingress',
    'an API service',
    'a user',
  ])
})
