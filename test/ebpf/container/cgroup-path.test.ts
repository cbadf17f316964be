import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CgroupOwner, ownerOfCgroup } from '../../../src/ebpf/container/cgroup-path.ts'

const ID = '0123456789abcdef'.repeat(4)
const INNER = 'fedcba9876543210'.repeat(4)
const UID = '11111111-2222-3333-4444-555555555555'
const FLAT = UID.replaceAll('-', '_')
const HASH = '0123456789abcdef0123456789abcdef'
const SLICES = `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${FLAT}.slice`

const pod = (runtime: string, qosClass: CgroupOwner['qosClass'] = 'burstable', podUid = UID) => ({
  containerId: ID,
  runtime,
  podUid,
  qosClass,
})
const bare = (runtime: string, containerId = ID) => ({ containerId, runtime })

/** How runtimes, their cgroup drivers and hierarchies write it. */
const OWNED: Readonly<Record<string, readonly [path: string, owner: object]>> = {
  'containerd, systemd': [`${SLICES}/cri-containerd-${ID}.scope`, pod('containerd')],
  'containerd, systemd, guaranteed': [
    `/kubepods.slice/kubepods-pod${FLAT}.slice/cri-containerd-${ID}.scope`,
    pod('containerd', 'guaranteed'),
  ],
  'containerd, systemd, best effort': [
    `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${FLAT}.slice/cri-containerd-${ID}.scope`,
    pod('containerd', 'besteffort'),
  ],
  'containerd, cgroupfs': [`/kubepods/burstable/pod${UID}/${ID}`, pod('containerd')],
  'containerd, cgroupfs, guaranteed': [`/kubepods/pod${UID}/${ID}`, pod('containerd', 'guaranteed')],
  'containerd, cgroupfs, best effort': [`/kubepods/besteffort/pod${UID}/${ID}`, pod('containerd', 'besteffort')],
  'containerd, a path in systemd form for cgroupfs': [
    `/system.slice/containerd.service/kubepods-burstable-pod${FLAT}.slice:cri-containerd:${ID}`,
    pod('containerd'),
  ],
  'a static pod, whose uid is a hash': [`/kubepods/burstable/pod${HASH}/${ID}`, pod('containerd', 'burstable', HASH)],
  'CRI-O, systemd': [`${SLICES}/crio-${ID}.scope`, pod('cri-o')],
  'CRI-O with crun': [`${SLICES}/crio-${ID}.scope/container`, pod('cri-o')],
  'CRI-O, cgroupfs': [`/kubepods/burstable/pod${UID}/crio-${ID}`, pod('cri-o')],
  'Docker, systemd': [`/system.slice/docker-${ID}.scope`, bare('docker')],
  'Docker, cgroupfs': [`/docker/${ID}`, bare('docker')],
  'Docker for Kubernetes': [`${SLICES}/docker-${ID}.scope`, pod('docker')],
  'a job of GitHub': [`/actions_job/${ID}`, bare('docker')],
  Podman: [`/machine.slice/libpod-${ID}.scope`, bare('podman')],
  'Podman with crun': [`/machine.slice/libpod-${ID}.scope/container`, bare('podman')],
  'Podman, its payload': [`/machine.slice/libpod-payload-${ID}.scope`, bare('podman')],
  'Podman of a user': [
    `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container`,
    bare('podman'),
  ],
  nerdctl: [`/system.slice/nerdctl-${ID}.scope`, bare('nerdctl')],
  LXC: ['/lxc/web', bare('lxc', 'web')],
  'LXC, payload folder': ['/lxc.payload/web/init.scope', bare('lxc', 'web')],
  'LXC, payload': ['/lxc.payload.web/system.slice/ssh.service', bare('lxc', 'web')],
  libvirt: ['/machine.slice/machine-lxc\\x2d4711\\x2dweb.scope', bare('lxc', '4711\\x2dweb')],
  garden: ['/garden/6f1b6b4e-0d4d-4b3a-5c1e-8f1d', bare('garden', '6f1b6b4e-0d4d-4b3a-5c1e-8f1d')],
  bpm: ['/system.slice/bpm-router.scope', bare('garden', 'router')],
  systemd: [`${SLICES}/cri-containerd-${ID}.scope/system.slice/sshd.service`, pod('containerd')],
  'seen from another cgroup namespace': [`/../../kubepods/burstable/pod${UID}/${ID}`, pod('containerd')],
  'a container in a container': [`/docker/${ID}/docker/${INNER}`, { ...bare('docker', INNER), outermostId: ID }],
  'Docker in a pod': [
    `${SLICES}/cri-containerd-${ID}.scope/docker/${INNER}`,
    { ...pod('docker'), containerId: INNER, podContainerId: ID, outermostId: ID },
  ],
  'a pod in kind': [
    `/docker/${ID}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod${FLAT}.slice/cri-containerd-${INNER}.scope`,
    { ...pod('containerd'), containerId: INNER, outermostId: ID },
  ],
}

for (const [name, [path, owner]] of Object.entries(OWNED)) {
  test(`the container of ${name}`, () => assert.deepEqual(ownerOfCgroup(path), owner))
}

test('what no container owns', () => {
  for (const path of [
    '/',
    '',
    '/init.scope',
    '/system.slice/sshd.service',
    '/user.slice/user-1000.slice/session-3.scope',
    '/kubepods.slice',
    SLICES,
    `/kubepods/burstable/pod${UID}`,
    `${SLICES}/crio-conmon-${ID}.scope`,
    `/machine.slice/libpod-conmon-${ID}.scope`,
    `/system.slice/docker-${ID.slice(1)}.scope`,
    `/docker/${ID}0`,
    `/docker/${ID.toUpperCase()}`,
    '/process_api/a37a69fccaf439ec1824c34e59fc106f',
    `/${'x/'.repeat(5000)}docker/${ID}`,
  ]) {
    assert.equal(ownerOfCgroup(path), undefined, path)
  }
})

test('a container cannot pass for the pod of another one by cgroups that it makes', () => {
  const other = UID.replaceAll('1', '9')
  const path = `${SLICES}/cri-containerd-${ID}.scope/kubepods/burstable/pod${other}/${INNER}`
  const owner = ownerOfCgroup(path)
  assert.equal(owner?.podUid, UID)
  assert.equal(owner?.outermostId, ID)
  assert.equal(owner?.podContainerId, ID)
})

test('a container does not leave itself by the name of a helper', () => {
  assert.equal(ownerOfCgroup(`${SLICES}/cri-containerd-${ID}.scope/crio-conmon-x`)?.containerId, ID)
})

test('a user of the host cannot pass for a pod', () => {
  const path = `/user.slice/user-1000.slice/user@1000.service/kubepods/burstable/pod${UID}/${ID}`
  assert.equal(ownerOfCgroup(path)?.podUid, undefined)
})

test('any path has an answer, soon', () => {
  const part = fc.oneof(
    fc.string({ maxLength: 80 }),
    fc.constantFrom('kubepods', 'docker', 'lxc', ID, `pod${UID}`, `crio-${ID}`, `cri-containerd-${ID}.scope`),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      const owner = ownerOfCgroup(`/${parts.join('/')}`)
      assert(owner === undefined || owner.containerId.length > 0)
    }),
  )
})
