/** `struct weir_config` of bpf/events.h: what the programs are told before they are loaded. */
import { CONFIG } from '../layout/offsets.ts'

export interface KernelConfig {
  /** Bits of `SIGNALS`. */
  readonly signals: number
  readonly cgroupSubsys: number
  readonly withEnv: number
  /** Percent of records that are lost on purpose. */
  readonly simulateDrop: number
  readonly dedupSeconds: number
  /** Signals of cgroups that no scope is set for. */
  readonly scopeDefault: number
  /** 1 = scopes may be set. */
  readonly hasScopes: number
  /** 0 = no rules, 1 = exclusions only, 2 = what no inclusion names is excluded. */
  readonly hasPathRules: number
  readonly hasAddressRules: number
  readonly hasBinaryRules: number
  /** Bytes kept of a packet's payload, at most 2048. */
  readonly l7Payload: number
  readonly failedOpens: number
  readonly hasFileLsm: number
  readonly hasPathLsm: number
  /** Records a second and cgroup: exec, file, network, other; 0 = unlimited. */
  readonly rate: readonly [number, number, number, number]
  readonly burst: readonly [number, number, number, number]
  /** Capabilities whose use is reported. */
  readonly capMask: bigint
  /** Bytes of bulk records that wake the reader. */
  readonly wakeBytes: number
}

const ALL = 0xffffffff

/**
 * Of Linux' capabilities those whose use says something (bits of CAP_*): DAC_OVERRIDE, DAC_READ_SEARCH, SETGID, SETUID,
 * NET_ADMIN, NET_RAW, SYS_MODULE, SYS_RAWIO, SYS_CHROOT, SYS_PTRACE, SYS_ADMIN, SYS_BOOT, MKNOD, SETFCAP, MAC_ADMIN,
 * SYSLOG, PERFMON, BPF, CHECKPOINT_RESTORE.
 */
export const TELLING_CAPABILITIES = [1, 2, 6, 7, 12, 13, 16, 17, 18, 19, 21, 22, 27, 31, 33, 34, 38, 39, 40].reduce(
  (mask, bit) => mask | (1n << BigInt(bit)),
  0n,
)

export const DEFAULTS: KernelConfig = {
  signals: ALL,
  cgroupSubsys: 0,
  withEnv: 0,
  simulateDrop: 0,
  dedupSeconds: 10,
  scopeDefault: ALL,
  hasScopes: 0,
  hasPathRules: 0,
  hasAddressRules: 0,
  hasBinaryRules: 0,
  l7Payload: 2048,
  failedOpens: 1,
  hasFileLsm: 0,
  hasPathLsm: 0,
  rate: [500, 2000, 2000, 500],
  burst: [5000, 10000, 10000, 5000],
  capMask: TELLING_CAPABILITIES,
  wakeBytes: 65536,
}

export function encodeConfig(config: KernelConfig): Buffer {
  const bytes = Buffer.alloc(CONFIG.bytes)
  for (const [name, value] of Object.entries(config)) {
    const at = CONFIG[name as keyof KernelConfig]
    if (typeof value === 'bigint') bytes.writeBigUInt64LE(value, at)
    else if (name === 'wakeBytes') bytes.writeBigUInt64LE(BigInt(value as number), at)
    else if (typeof value === 'number') bytes.writeUInt32LE(value >>> 0, at)
    else for (const [i, each] of (value as readonly number[]).entries()) bytes.writeUInt32LE(each >>> 0, at + i * 4)
  }
  return bytes
}
