/** Numbers of the kernel in words: errno, capabilities, signals, file systems, flags. */

import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'

const errors = new Map([...getSystemErrorMap()].map(([code, [name]]) => [code, name]))

/** `ENOENT` of -2. */
export function errorName(ret: number): string {
  return errors.get(ret) ?? `E${-ret}`
}

const signals = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))

export function signalName(signal: number): string {
  return signals.get(signal as never) ?? `SIG${signal}`
}

/** include/uapi/linux/capability.h, by bit. */
const CAPABILITIES =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
    .split(' ')
    .map((name) => `CAP_${name}`)

export function capabilityName(bit: number): string {
  return CAPABILITIES[bit] ?? `CAP_${bit}`
}

const capabilitySets = new Map<number, string[]>()

/** Names of a set of capabilities, given as two words. Shared: not to be changed. */
export function capabilityNames(low: number, high: number): string[] {
  const key = high * 2 ** 32 + low
  const known = capabilitySets.get(key)
  if (known !== undefined) return known
  const made = CAPABILITIES.filter((_, bit) => (((bit < 32 ? low : high) >>> (bit & 31)) & 1) === 1)
  if (capabilitySets.size > 1000) capabilitySets.clear()
  capabilitySets.set(key, made)
  return made
}

/** include/uapi/linux/magic.h. */
const FILE_SYSTEMS = new Map([
  [0x794c7630, 'overlay'],
  [0x01021994, 'tmpfs'],
  [0x9fa0, 'proc'],
  [0x62656572, 'sysfs'],
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x27e0eb, 'cgroup'],
  [0x63677270, 'cgroup2'],
  [0x64626720, 'debugfs'],
  [0x74726163, 'tracefs'],
  [0x73636673, 'securityfs'],
  [0xcafe4a11, 'bpf'],
  [0x6969, 'nfs'],
  [0x534f434b, 'sockfs'],
  [0x50495045, 'pipefs'],
  [0x9041934, 'anon_inodefs'],
  [0x1cd1, 'devpts'],
  [0x858458f6, 'ramfs'],
  [0x2bad1dea, 'inotifyfs'],
  [0x6e736673, 'nsfs'],
  [0x65735546, 'fuse'],
  [0xff534d42, 'cifs'],
  [0x19800202, 'mqueue'],
  [0x958458f6, 'hugetlbfs'],
])

export function fileSystemName(magic: number): string | undefined {
  return FILE_SYSTEMS.get(magic)
}

/** AF_* of include/linux/socket.h. */
const FAMILIES = new Map([
  [1, 'unix'],
  [2, 'inet'],
  [10, 'inet6'],
  [15, 'key'],
  [16, 'netlink'],
  [17, 'packet'],
  [29, 'can'],
  [31, 'bluetooth'],
  [38, 'alg'],
  [40, 'vsock'],
  [44, 'xdp'],
])
const SOCKET_TYPES = new Map([
  [1, 'stream'],
  [2, 'dgram'],
  [3, 'raw'],
  [4, 'rdm'],
  [5, 'seqpacket'],
  [10, 'packet'],
])
/** IPPROTO_*. */
const TRANSPORTS = new Map([
  [1, 'icmp'],
  [6, 'tcp'],
  [17, 'udp'],
  [58, 'ipv6-icmp'],
  [132, 'sctp'],
])

export const familyName = (family: number): string => FAMILIES.get(family) ?? `af_${family}`
export const socketTypeName = (type: number): string => SOCKET_TYPES.get(type) ?? `type_${type}`
export const transportName = (protocol: number): string => TRANSPORTS.get(protocol) ?? `ip_${protocol}`

/** Names of the bits that are set. Shared by value: not to be changed. */
export function bitNames(names: readonly (readonly [number, string])[]): (value: number) => string[] {
  const known = new Map<number, string[]>()
  return (value) => {
    let made = known.get(value)
    if (made === undefined) {
      made = names.filter(([bit]) => (value & bit) !== 0).map(([, name]) => name)
      if (known.size > 4096) known.clear()
      known.set(value, made)
    }
    return made
  }
}

/** CLONE_NEW* of include/uapi/linux/sched.h. */
export const namespaceTypes = bitNames([
  [0x00020000, 'mnt'],
  [0x02000000, 'cgroup'],
  [0x04000000, 'uts'],
  [0x08000000, 'ipc'],
  [0x10000000, 'user'],
  [0x20000000, 'pid'],
  [0x40000000, 'net'],
  [0x00000080, 'time'],
])

const MODES = Array.from({ length: 0o10000 }, (_, bits) => bits.toString(8).padStart(4, '0'))

/** Permissions in octal: `0644`. */
export function modeText(mode: number): string {
  return MODES[mode & 0o7777] as string
}
