/** Actions about files that matter, under every name they have. */
import { type Action, type Facts, has, present, type Seen, told } from './types.ts'

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token'
const ALIASES = ['plain', 'dots', 'proc-root', 'symlink', 'openat', 'openat2', 'reopened']

export const fileActions: readonly Action[] = [
  {
    id: '7',
    title: 'a file of secrets under all of its names',
    run: ({ deed }) => [deed, 'aliases', '/etc/shadow', '/etc', 'shadow'],
    expected: [
      {
        event: 'file.open',
        by: 'main',
        times: ALIASES.length,
        where: { 'file.path': '/etc/shadow', 'weir.file.watch': present, 'weir.file.access': has('read') },
      },
      {
        event: 'file.open',
        by: 'main',
        where: { 'file.path': /alias-hardlink$/, 'weir.file.watch': present },
        // Refused where the working directory lies on another file system.
        unless: (facts) => facts.of('hardlink')['read'] !== 1,
      },
      { event: 'file.symlink', by: 'main', where: { 'file.symbolic_link.target_path': '/etc/shadow' } },
      { event: 'file.open', by: 'main', where: { 'weir.file.raw_path': /\.\./ } },
      { event: 'file.open', by: 'main', where: { 'weir.file.raw_path': /^\/proc\/self/ } },
    ],
    check: (records, facts) => {
      const wanted = [...ALIASES, 'hardlink', 'handle'].filter((role) => facts.of(role)['read'] === 1).length
      const opened = records.filter(
        ({ eventName, attributes }) =>
          eventName === 'file.open' &&
          attributes['weir.file.watch'] !== undefined &&
          !has('path')(attributes['weir.file.access']),
      )
      return opened.length === wanted ? undefined : `${wanted} reads of the file left ${opened.length} records`
    },
    atMost: 40,
    twin: { run: ({ deed }) => [deed, 'own_file'] },
  },
  {
    id: '8',
    title: 'another thread rewrites the name meanwhile',
    run: ({ deed }) => [deed, 'race', '2000'],
    expected: [
      {
        event: 'file.open',
        by: 'main',
        where: { 'file.path': /racing-a$/ },
        unless: (facts) => facts.of('raced')['a'] === 0,
      },
      {
        event: 'file.open',
        by: 'main',
        where: { 'file.path': /racing-b$/ },
        unless: (facts) => facts.of('raced')['b'] === 0,
      },
      { event: 'file.delete', by: 'main' },
    ],
    check: removedName,
    atMost: 60,
    twin: {
      run: ({ deed }) => [deed, 'no_race'],
      never: [{ event: 'file.delete', where: { 'weir.file.raw_path_changed': true } }],
    },
  },
  {
    id: '9',
    title: 'names are given another meaning',
    run: ({ deed }) => [deed, 'tamper'],
    expected: [
      {
        event: 'file.symlink',
        by: 'main',
        where: { 'file.path': /link-to-etc$/, 'file.symbolic_link.target_path': '/etc' },
      },
      { event: 'file.link', by: 'main', where: { 'file.path': /hardlink$/, 'weir.file.target_path': /linked-file$/ } },
      {
        event: 'file.rename',
        by: 'main',
        where: { 'file.path': /\.bash_history$/, 'weir.file.target_path': /history\.old$/ },
      },
      { event: 'file.delete', by: 'main', where: { 'file.path': /history\.old$/ } },
      { event: 'file.open', by: 'main', where: { 'file.path': /syslog$/, 'weir.file.access': has('truncate') } },
      { event: 'file.truncate', by: 'main', where: { 'file.path': /syslog$/ }, times: 2 },
      { event: 'file.mkdir', by: 'main', where: { 'file.path': /root\/bin$/ } },
      {
        event: 'file.create',
        by: 'main',
        where: { 'file.path': /\.ssh\/authorized_keys$/, 'weir.file.watch': present },
      },
      { event: 'file.create', by: 'main', where: { 'file.path': /etc\/crontab$/ } },
      { event: 'file.chmod', by: 'main', where: { 'file.path': /syslog$/, 'file.mode': /4755$/ } },
      {
        event: 'file.chown',
        by: 'main',
        where: { 'file.path': /syslog$/, 'file.owner.id': (value) => Number(value) === 65534 },
      },
      { event: 'mount.change', by: 'chrooted', where: { 'weir.mount.call': 'chroot' } },
      { event: 'file.create', by: 'chrooted', where: { 'file.path': /etc\/ld\.so\.preload$/ } },
    ],
    atMost: 70,
    twin: { run: ({ deed }) => [deed, 'tidy'] },
  },
  {
    id: '10',
    title: 'secrets of processes, and memory of another one',
    run: ({ deed }) => [deed, 'peek', '/dev/null'],
    expected: [
      { event: 'file.open', by: 'main', times: 2, where: { 'file.path': /^\/proc\/\d+\/environ$/ } },
      {
        event: 'file.open',
        by: 'main',
        where: { 'file.path': told('memory', 'path'), 'weir.file.access': has('write') },
      },
    ],
    check: (records) => {
      const opens = records.filter(({ attributes }) => /\/environ$/.test(String(attributes['file.path'])))
      return opens.length === 2 ? undefined : `two reads of an environment left ${opens.length} records`
    },
    atMost: 25,
    twin: { run: ({ deed }) => [deed, 'look_at_self'] },
  },
  {
    id: '10b',
    title: "the token of a container's service account",
    inContainer: true,
    run: () => ['/bin/deed', 'peek', TOKEN],
    expected: [
      {
        event: 'file.open',
        by: 'main',
        times: 2,
        where: { 'file.path': /serviceaccount\/token$/, 'weir.file.watch': present },
      },
    ],
    check: (records) => {
      const opens = records.filter(({ attributes }) => /\/token$/.test(String(attributes['file.path'])))
      return opens.length === 2 ? undefined : `two reads of a token left ${opens.length} records`
    },
    atMost: 25,
    twin: { run: () => ['/bin/deed', 'look_at_self'] },
  },
]

function removedName(records: readonly Seen[], facts: Facts) {
  const gone = String(facts.of('raced')['gone'])
  const said = records.filter(({ eventName }) => eventName === 'file.delete').map(({ attributes }) => attributes)
  const isHonest = said.some(
    (one) => String(one['file.path']).endsWith(gone) || one['weir.file.raw_path_changed'] === true,
  )
  return isHonest ? undefined : `${gone} was removed, and the record names another file as if it were sure`
}
