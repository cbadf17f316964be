/** What is missing of a machine is one sentence that says what to do. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, test } from 'node:test'
import { inspect, SYSTEM, type System } from '../../../src/ebpf/kernel/environment.ts'
import { SensorError } from '../../../src/ebpf/kernel/errors.ts'
import { KernelTypes } from '../../../src/ebpf/kernel/kernel-types.ts'

const ALL = 'CapEff:\t000001ffffffffff\n'
const WITHOUT = 'CapEff:\t00000000a80425fb\n'
const MODERN = 'CapEff:\t000000c000001000\n'
const hasBtf = existsSync('/sys/kernel/btf/vmlinux')

const FINE: System = {
  platform: 'linux',
  architecture: 'x64',
  release: '6.1.0-13-amd64',
  status: () => ALL,
  mounts: () => 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\ntracefs /sys/kernel/tracing tracefs rw 0 0\n',
  lockdown: () => '[none] integrity confidentiality',
  exists: () => true,
  types: () => (hasBtf ? KernelTypes.ofKernel() : undefined),
}

const BROKEN: readonly [string, Partial<System>, RegExp][] = [
  ['another system', { platform: 'darwin' }, /runs on Linux; this is darwin/],
  ['another processor', { architecture: 'riscv64' }, /x86-64 and arm64; this machine is riscv64/],
  ['an old kernel', { release: '5.15.0-91-generic' }, /5\.15\.0-91-generic is older than 6\.1.*newer kernel/],
  ['a much older kernel', { release: '4.19.0' }, /older than 6\.1/],
  ['no privileges', { status: () => WITHOUT }, /capabilities BPF, PERFMON and NET_ADMIN.*root/],
  ['a locked kernel', { lockdown: () => 'none integrity [confidentiality]' }, /locked down.*lockdown=integrity/],
  ['no types', { types: () => undefined }, /CONFIG_DEBUG_INFO_BTF=y/],
]

describe('the machine', () => {
  for (const [what, part, sentence] of BROKEN) {
    test(`${what} is refused in a sentence`, () => {
      assert.throws(
        () => inspect({ ...FINE, ...part }),
        (error) => error instanceof SensorError && sentence.test(error.message) && !error.message.includes('\n'),
      )
    })
  }

  test('without tracefs a sentence says how to mount it', { skip: !hasBtf && 'this kernel has no BTF' }, () => {
    const none = { ...FINE, exists: () => false, mounts: () => 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n' }
    assert.throws(() => inspect(none), /mount -t tracefs/)
  })

  test('the capabilities of today are enough, without SYS_ADMIN', { skip: !hasBtf && 'this kernel has no BTF' }, () => {
    assert.equal(inspect({ ...FINE, status: () => MODERN }).kernel, FINE.release)
  })

  test('unified and hybrid hosts are told apart', { skip: !hasBtf && 'this kernel has no BTF' }, () => {
    assert.equal(inspect(FINE).cgroupSubsys, 0)
    const hybrid = `${FINE.mounts()}cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n`
    assert(inspect({ ...FINE, mounts: () => hybrid }).cgroupSubsys > 0)
  })

  test('names of the kernel are found, and names that it lacks are not', {
    skip: !hasBtf && 'this kernel has no BTF',
  }, () => {
    const types = SYSTEM.types() as KernelTypes
    assert(types.hasFunction('security_file_open'))
    assert(types.hasTracepoint('sched_process_exec'))
    assert(!types.hasFunction('security_file_opem'))
    assert(!types.hasTracepoint('sched_process_exex'))
  })
})
