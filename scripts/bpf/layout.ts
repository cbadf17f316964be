/** Writes src/ebpf/layout/: offsets of the records, and values of the enums, from the object's own BTF. */
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

/** Columns of a line, as everywhere. */
const WIDTH = 120

/** A frozen map, as many entries a line as fit: a table to look things up in. */
function table(name: string, entries: readonly [string, number][]): string {
  const lines: string[] = []
  let line = ' '
  for (const [key, value] of entries) {
    const entry = ` ${key}: ${value},`
    if (line.length + entry.length > WIDTH) {
      lines.push(line)
      line = ' '
    }
    line += entry
  }
  return `export const ${name} = {\n${[...lines, line].join('\n')}\n} as const\n`
}

function struct(btf: Btf, name: string): string {
  const type = btf.find(name, 'struct')
  if (type === undefined) throw new Error(`the object has no struct ${name}`)
  return table(upper(name.replace(/^weir_/, '')), [['bytes', btf.size(type)], ...offsets(btf, type)])
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
  return table(
    upper(name),
    values.map(([key, value]) => [camel(key.slice(prefix.length).toLowerCase()), value]),
  )
}

function file(what: string, parts: readonly string[]): string {
  const head = `/** ${what}, generated from the BTF of the object (bpf/events.h) by \`npm run bpf\`: do not edit. */\n`
  return [head, ...parts].join('\n')
}

/** The files by path. */
export function layoutOf(object: Uint8Array): ReadonlyMap<string, string> {
  const section = elfSection(object, '.BTF')
  if (section === undefined) throw new Error('the object has no BTF')
  const btf = new Btf(section)
  return new Map([
    [
      'src/ebpf/layout/offsets.ts',
      file('Sizes and offsets in bytes of the structs that both sides share', [
        ...RECORDS.map((name) => struct(btf, `weir_${name}`)),
        ...PARTS.map((name) => struct(btf, name)),
      ]),
    ],
    [
      'src/ebpf/layout/values.ts',
      file(
        'Values of the enums that both sides share',
        ENUMS.map((name) => enumeration(btf, name)),
      ),
    ],
  ])
}
