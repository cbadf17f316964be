import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type ContainerSeen, Containers } from '../../../src/ebpf/container/containers.ts'

const ID = '0123456789abcdef'.repeat(4)
const OTHER = 'fedcba9876543210'.repeat(4)
const UID = '11111111-2222-3333-4444-555555555555'
const PATH = `/kubepods/burstable/pod${UID}/${ID}`
const SECOND = 1e9

interface Bench {
  readonly root: string
  readonly seen: ContainerSeen[]
  readonly containers: Containers
  pod(containers: readonly string[]): void
  link(container: string): void
}

function bench(t: TestContext): Bench {
  const root = mkdtempSync(join(tmpdir(), 'weir-containers-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const folder = join(root, 'log', 'pods', `shop_nginx-7d9_${UID}`)
  for (const each of ['cgroup', 'proc', 'log/containers', 'log/pods']) mkdirSync(join(root, each), { recursive: true })
  const seen: ContainerSeen[] = []
  const containers = new Containers({
    node: 'node-1',
    resource: { 'host.id': 'machine' },
    onContainer: (one) => seen.push(one),
    proc: join(root, 'proc'),
    cgroup: join(root, 'cgroup'),
    podLogs: join(root, 'log'),
  })
  return {
    root,
    seen,
    containers,
    pod: (names) => {
      for (const name of names) mkdirSync(join(folder, name), { recursive: true })
    },
    link: (name) =>
      symlinkSync(join(folder, name, '0.log'), join(root, 'log/containers', `nginx-7d9_shop_${name}-${ID}.log`)),
  }
}

test('cgroups that exist are found by the numbers of their folders', (t) => {
  const { root, containers, pod } = bench(t)
  const folder = join(root, 'cgroup', PATH)
  mkdirSync(folder, { recursive: true })
  pod(['web'])
  containers.scan()
  const cgroup = containers.of(Number(statSync(folder, { bigint: true }).ino), 1)
  assert.equal(cgroup.container?.containerId, ID)
  assert.equal(cgroup.path, PATH)
  assert.deepEqual(cgroup.container?.resource.attributes, {
    'host.id': 'machine',
    'host.name': 'node-1',
    'os.type': 'linux',
    'container.id': ID,
    'container.runtime.name': 'containerd',
    'k8s.node.name': 'node-1',
    'k8s.pod.uid': UID,
    'weir.k8s.qos_class': 'burstable',
    'k8s.namespace.name': 'shop',
    'k8s.pod.name': 'nginx-7d9',
    'k8s.container.name': 'web',
  })
  assert.equal(cgroup.container?.label, 'nginx-7d9 (shop/web)')
  assert.equal(containers.of(Number(statSync(join(root, 'cgroup'), { bigint: true }).ino), 1).container, undefined)
})

test('names come later: the record has none, and whoever is in the container learns them', (t) => {
  const { containers, seen, pod, link } = bench(t)
  const cgroup = containers.made(7, PATH, 42)
  assert.equal(cgroup.container?.resource.attributes['weir.k8s.enrichment'], 'pending')
  assert.equal(cgroup.container?.label, `${ID.slice(0, 12)} (pod ${UID})`)
  containers.tick(1 * SECOND)
  pod(['web', 'sidecar'])
  containers.tick(2 * SECOND)
  // Two containers: which one it is, only the link tells.
  assert.equal(cgroup.container?.label, 'nginx-7d9 (shop)')
  link('sidecar')
  containers.tick(3 * SECOND)
  assert.equal(cgroup.container?.label, 'nginx-7d9 (shop/sidecar)')
  assert.equal(cgroup.container?.resource.attributes['weir.k8s.enrichment'], undefined)
  assert.deepEqual(
    seen.map(({ cgroup: id, pid, container }) => [id, pid, container.names?.container]),
    [
      [7n, 42, undefined],
      [7n, 42, undefined],
      [7n, 42, 'sidecar'],
    ],
  )
})

test('names that never come are said to be missing', (t) => {
  const { containers } = bench(t)
  const cgroup = containers.made(7, PATH, 42)
  for (let now = 0; now < 70; now += 10) containers.tick(now * SECOND)
  assert.equal(cgroup.container?.resource.attributes['weir.k8s.enrichment'], 'missing')
})

test('names that no cluster would give are not believed', (t) => {
  const { root, containers } = bench(t)
  mkdirSync(join(root, 'log/pods', `Sh*op_ngi nx_${UID}`), { recursive: true })
  assert.equal(containers.made(7, PATH, 42).container?.names, undefined)
})

test('an unknown cgroup is asked for at the process, by the hierarchy that names containers', (t) => {
  const { root, containers } = bench(t)
  mkdirSync(join(root, 'proc/42'))
  writeFileSync(join(root, 'proc/42/cgroup'), `12:cpu,cpuacct:/\n4:memory:${PATH}\n0::/\n`)
  assert.equal(containers.of(9, 42).container?.containerId, ID)
  // The answer is remembered, the process may end.
  rmSync(join(root, 'proc/42'), { recursive: true })
  assert.equal(containers.of(9, 43).container?.containerId, ID)
})

test('a process that is gone decides nothing for those that follow', (t) => {
  const { root, containers } = bench(t)
  assert.equal(containers.of(9, 42).container, undefined)
  mkdirSync(join(root, 'proc/43'))
  writeFileSync(join(root, 'proc/43/cgroup'), `0::${PATH}\n`)
  assert.equal(containers.of(9, 43).container?.containerId, ID)
})

test('a container is known as long as a cgroup of it, and a minute longer', (t) => {
  const { containers } = bench(t)
  containers.tick(1 * SECOND)
  containers.made(7, PATH, 0)
  const inner = containers.made(8, `${PATH}/init.scope`, 0)
  assert.equal(inner.container?.containerId, ID)
  assert.equal(containers.size, 1)
  containers.removed(7)
  containers.tick(70 * SECOND)
  assert.equal(containers.size, 1)
  containers.removed(8)
  containers.tick(100 * SECOND)
  assert.equal(containers.of(8, 0).container?.containerId, ID, 'late events')
  containers.tick(140 * SECOND)
  assert.equal(containers.size, 0)
})

test('what a container makes below itself does not become another container', (t) => {
  const { containers } = bench(t)
  const honest = containers.made(7, PATH, 0)
  const forged = containers.made(8, `/docker/${OTHER}/docker/${ID}`, 0)
  assert.notEqual(forged.container, honest.container)
  assert.equal(forged.container?.podUid, undefined)
  assert.equal(forged.container?.resource.attributes['weir.container.outermost.id'], OTHER)
})

test('a cgroup that is told of twice stays the same', (t) => {
  const { containers, seen } = bench(t)
  assert.equal(containers.made(7, PATH, 1), containers.made(7, PATH, 1))
  assert.equal(seen.length, 1)
})

test('ever new cgroups take bounded room', (t) => {
  const { containers } = bench(t)
  for (let id = 1; id <= 60_000; id++) containers.made(id, `/system.slice/run-${id}.service`, 0)
  assert(containers.evicted >= 10_000)
  assert.equal(containers.made(70_000, PATH, 0).container?.containerId, ID)
})
