import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_WATCH, placesOf, watchList } from '../../../src/ebpf/sensing/watch-list.ts'

const { classOf, classes } = watchList()

const WATCHED: Record<string, string> = {
  '/etc/shadow': 'credentials',
  '/etc/sudoers.d/admins': 'credentials',
  '/etc/ssh/ssh_host_ed25519_key': 'credentials',
  '/home/jane/.ssh/id_rsa': 'credentials',
  '/home/jane/.ssh/authorized_keys': 'persistence',
  '/var/run/secrets/kubernetes.io/serviceaccount/token': 'service_account_token',
  '/run/secrets/kubernetes.io/serviceaccount/token': 'service_account_token',
  '/var/lib/kubelet/pods/0b6c/volumes/kubernetes.io~projected/kube-api-access-x/token': 'service_account_token',
  '/etc/kubernetes/admin.conf': 'kubernetes_credentials',
  '/etc/kubernetes/pki/ca.key': 'kubernetes_credentials',
  '/root/.kube/config': 'kubernetes_credentials',
  '/srv/app/.aws/credentials': 'cloud_credentials',
  '/run/containerd/containerd.sock': 'container_runtime',
  '/etc/cron.d/job': 'persistence',
  '/etc/ld.so.preload': 'persistence',
  '/proc/sys/kernel/core_pattern': 'container_escape',
  '/sys/fs/cgroup/rdma/release_agent': 'container_escape',
  '/home/jane/.bash_history': 'history',
}

const OTHERS = [
  '/etc/shadowed',
  '/etc/passwd',
  '/tmp/etc/shadow',
  '/etc/sudoers.d/sub/file',
  '/home/jane/deep/.ssh/id_rsa',
  '/home/jane/.ssh/known_hosts',
  '/etc/ssh/ssh_host_ed25519_key.pub',
  '/etc/kubernetes/pki/ca.crt',
  '/usr/lib/x.kube/config',
  '/a/b/mytoken',
  '/',
  '',
]

for (const [path, expected] of Object.entries(WATCHED)) {
  test(`${path} is of class ${expected}`, () => assert.equal(classOf(path), expected))
}

for (const path of OTHERS) {
  test(`"${path}" is of no class`, () => assert.equal(classOf(path), undefined))
}

test('a class has one number, however many lists it is in', () => {
  assert.equal(new Set(classes).size, classes.length)
  const own = watchList([...DEFAULT_WATCH, { class: 'credentials', paths: ['/srv/key'] }])
  assert.deepEqual(own.classes, classes)
  assert.equal(own.classOf('/srv/key'), 'credentials')
})

test('what a user writes is taken as text, and not as an expression', () => {
  const { classOf: own } = watchList([{ class: 'x', paths: ['/a.b/(*)+[c'] }])
  assert.equal(own('/a.b/(1)+[c'), 'x')
  assert.equal(own('/aab/(1)+[c'), undefined)
})

test('the places of a pattern for any folder are the homes of people', () => {
  assert.deepEqual(placesOf({ class: 'x', paths: ['**/.netrc', '/etc/shadow'] }), [
    '/root/.netrc',
    '/home/*/.netrc',
    '/etc/shadow',
  ])
})

test('a path of any length is judged in no time', () => {
  const began = performance.now()
  for (let i = 0; i < 1000; i++) classOf(`/${'a/'.repeat(2000)}token`)
  assert(performance.now() - began < 2000)
})
