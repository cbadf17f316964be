/** docs/ebpf-events.md, from the table of attributes that the decoders are tested against. */
import { EBPF_GROUPS } from '../../src/ebpf/records/attribute-table.ts'
import type { Group } from '../../src/ebpf/records/attribute-types.ts'
import { EVENT_NAMES } from '../../src/records/event-names.ts'
import { code } from './options.ts'

const EVENTS: Readonly<Record<string, string>> = {
  'process.exec': 'A program was started.',
  'process.exec_failed': 'A program could not be started.',
  'process.fork': 'A process was made; not sent unless asked for.',
  'process.exit': 'A process ended, by itself or by a signal.',
  'process.ptrace': 'A process traced, read or wrote another one.',
  'process.signal': 'A process ended another one, or tried to.',
  'process.fd_redirect': 'A connection became standard input, output or error.',
  'process.syscall': 'A call that few programs make.',
  'network.socket': 'A socket of an unusual kind was made.',
  'network.bind': 'A socket was given an address.',
  'network.connect': 'A process began a connection, or failed to.',
  'network.accept': 'A process accepted one.',
  'network.listen': 'A process waits for connections.',
  'network.close': 'A connection ended, with what went over it.',
  'network.flow': 'Datagrams that were exchanged with one peer.',
  'dns.query': 'A name was asked for.',
  'dns.response': 'The answer.',
  'tls.client_hello': 'A TLS connection was begun.',
  'http.request': 'A request that is not encrypted.',
  'file.open': 'A file was opened.',
  'file.create': 'A file was made.',
  'file.delete': 'A file or directory was removed.',
  'file.rename': 'A file got another name.',
  'file.link': 'A file got one more name.',
  'file.symlink': 'A symbolic link was made.',
  'file.chmod': 'Permissions of a file changed.',
  'file.chown': 'A file got another owner.',
  'file.truncate': 'A file was cut.',
  'file.mkdir': 'A directory was made.',
  'file.setattr': 'Extended attributes or times of a file changed.',
  'capability.use': 'A capability was used, or refused.',
  'privilege.change': 'Users, groups or capabilities of a process changed.',
  'namespace.change': 'A process entered other namespaces.',
  'mount.change': 'What is mounted where changed.',
  'module.load': 'A module of the kernel was loaded, removed or asked for.',
  'memfd.create': 'A file that exists in memory alone was made.',
  'bpf.use': 'A process used bpf() or perf_event_open().',
  'io_uring.use': 'A process used io_uring.',
}

export function ebpfEventsPage(): string {
  const events = EVENT_NAMES.filter((name) => Object.hasOwn(EVENTS, name))
  return `# Events of the kernel

<!-- made by npm run docs; do not edit -->

What the receiver [\`ebpf\`](components/receivers/ebpf.md) makes of what it sees; [ebpf.md](ebpf.md) says how it sees it.
The body of each record is a line for people; its severity says how sensitive what happened is, from DEBUG (a file was
read) to FATAL (privileges changed, and no call explains it).

| event | what happened |
| --- | --- |
${events.map((name) => `| ${code(name)} | ${EVENTS[name]} |`).join('\n')}

Attributes without a value are left out. Booleans that are not named in a record are false.

${EBPF_GROUPS.map(section).join('\n\n')}
`
}

function section({ title, events, attributes }: Group): string {
  const rows = Object.entries(attributes).map(
    ([name, { type, unit, meaning }]) =>
      `| ${code(name)} | ${type}${unit === undefined ? '' : `, ${unit}`} | ${meaning.replaceAll('|', '\\|')} |`,
  )
  return `## ${title}\n\nOf ${events}.\n\n| attribute | type | meaning |\n| --- | --- | --- |\n${rows.join('\n')}`
}
