/** Writes src/ebpf/layout.ts: offsets of the records and names of the enums, from the object's own BTF. */
import { Btf, elfSection } from '../../src/ebpf/kernel/btf.ts'

const RECORDS = [
  'header',
  'exec',
  'exec_failed',
  'fork',
  'exit',
  'open',
  'fs',
  'sock',
  'l7',
  'cred',
  'cap',
  'ns',
].concat([
  'mount',
  'module',
  'bpf',
  'ptrace',
  'memfd',
  'iouring',
  'cgroup',
  'heartbeat',
  'throttle',
  'fd',
  'signal',
  'syscall',
])
const PARTS = ['weir_counters', 'weir_config', 'weir_inode_key', 'weir_path_key', 'weir_address_key']
const ENUMS = ['type', 'flag', 'process_flag', 'exec_flag', 'fs_op', 'sock_op', 'l7_kind', 'cred_op', 'ns_op'].concat([
  'mount_op',
  'module_op',
  'bpf_op',
  'ptrace_op',
  'cgroup_op',
  'rate_class',
  'signal_bit',
  'syscall_op',
  'rule',
])

const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
const upper = (name: string): string => name.toUpperCase()

/** Offsets of a struct's fields; those of structs in it by their path: `parent.start` is `parentStart`. */
function offsets(btf: Btf, type: number, prefix = '', base = 0): [string, number][] {
  return btf.members(type).flatMap(({ name, type: member, offset }): [string, number][] => {
    if (/^pad\d*$/.test(name)) return []
    const path = prefix === '' ? camel(name) : `${prefix}${upper(name[0] as string)}${camel(name.slice(1))}`
    const plain = btf.plain(member)
    const own: [string, number] = [path, base + offset]
    if (btf.isStruct(plain) && btf.name(plain) === 'weir_header') return []
    return btf.isStruct(plain) ? [own, ...offsets(btf, plain, path, base + offset)] : [own]
  })
}

function struct(btf: Btf, name: string): string {
  const type = btf.find(name, 'struct')
  if (type === undefined) throw new Error(`the object has no struct ${name}`)
  const fields = offsets(btf, type).map(([path, offset]) => `  ${path}: ${offset},\n`)
  return `export const ${upper(name.replace(/^weir_/, ''))} = {\n  bytes: ${btf.size(type)},\n${fields.join('')}} as const\n`
}

/** `WEIR_FS_UNLINK` of `weir_fs_op` becomes `FS_OP.unlink`; `WEIR_F_TRUNC` of `weir_flag` becomes `FLAG.trunc`. */
function enumeration(btf: Btf, name: string): string {
  const type = btf.find(`weir_${name}`, 'enum')
  if (type === undefined) throw new Error(`the object has no enum weir_${name}`)
  const values = btf.values(type)
  const shared = values.reduce((prefix, [other]) => {
    let length = 0
    while (length < prefix.length && prefix[length] === other[length]) length++
    return prefix.slice(0, length)
  }, values[0]?.[0] ?? '')
  const prefix = shared.slice(0, shared.lastIndexOf('_') + 1)
  const lines = values.map(([key, value]) => `  ${camel(key.slice(prefix.length).toLowerCase())}: ${value},\n`)
  return `export const ${upper(name)} = {\n${lines.join('')}} as const\n`
}

export function layoutOf(object: Uint8Array): string {
  const section = elfSection(object, '.BTF')
  if (section === undefined) throw new Error('the object has no BTF')
  const btf = new Btf(section)
  return [
    '/** Generated from the BTF of the object (bpf/events.h) by `npm run bpf`: do not edit. Offsets and sizes in bytes. */\n',
    ...RECORDS.map((name) => struct(btf, `weir_${name}`)),
    ...PARTS.map((name) => struct(btf, name)),
    ...ENUMS.map((name) => enumeration(btf, name)),
  ].join('\n')
}
