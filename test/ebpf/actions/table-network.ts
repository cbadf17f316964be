/** Actions about sockets, and what is said over them. */
import { type Action, atLeast, type Facts, has, present, told } from './types.ts'

const loopback = '127.0.0.1'

export const networkActions: readonly Action[] = [
  {
    id: '11',
    title: 'TCP connections of every fate',
    run: ({ deed }) => [deed, 'tcp'],
    expected: [
      { event: 'network.listen', by: 'main', where: { 'network.transport': 'tcp' } },
      {
        event: 'network.connect',
        by: 'client',
        where: {
          'destination.address': loopback,
          'destination.port': told('main', 'port'),
          'source.port': told('client', 'port'),
          'weir.network.direction': 'egress',
          'error.type': (value) => value === undefined,
        },
      },
      {
        event: 'network.accept',
        by: 'main',
        where: {
          'source.address': loopback,
          'source.port': told('client', 'port'),
          'destination.port': told('main', 'port'),
          'weir.network.direction': 'ingress',
        },
      },
      {
        event: 'network.close',
        by: 'client',
        where: {
          'source.bytes': 8,
          'destination.bytes': 6,
          'event.duration': atLeast(40_000_000),
          'weir.network.established': true,
        },
      },
      { event: 'network.connect', by: 'main', where: { 'destination.port': 4444, 'error.type': 'ECONNREFUSED' } },
      {
        event: 'network.connect',
        by: 'main',
        where: { 'network.type': 'ipv6', 'destination.address': '::1' },
        unless: hasNoIpv6,
      },
      {
        event: 'network.close',
        by: 'main',
        where: { 'destination.port': told('idle', 'port'), 'weir.network.established': (value) => value !== true },
      },
    ],
    atMost: 70,
    twin: { run: ({ deed }) => [deed, 'pair'], never: [{ event: 'network.connect' }, { event: 'network.accept' }] },
  },
  {
    id: '12a',
    title: 'a shell on a connection that it opened',
    run: ({ deed, bin }) => [deed, 'reverse', 'dup', `${bin}/sh`],
    expected: [
      { event: 'network.connect', by: 'shell', where: { 'destination.port': told('main', 'port') } },
      {
        event: 'process.fd_redirect',
        by: 'shell',
        where: { 'weir.fd.number': 0, 'destination.port': told('main', 'port') },
      },
      { event: 'process.fd_redirect', by: 'shell', where: { 'weir.fd.number': 1 } },
      {
        event: 'process.exec',
        by: 'shell',
        parent: 'main',
        where: { 'weir.exec.flags': has('stdin_socket', 'stdout_socket'), 'weir.exec.stdin': /127\.0\.0\.1/ },
      },
    ],
    atMost: 35,
    twin: { run: ({ deed, bin }) => [deed, 'piped', `${bin}/sh`] },
  },
  {
    id: '12b',
    title: "a shell by a shell's own devices",
    run: ({ deed }) => [deed, 'reverse', 'bash', '/bin/bash'],
    expected: [
      {
        event: 'network.connect',
        by: 'shell',
        where: { 'destination.port': told('main', 'port'), 'process.executable.path': /bash$/ },
      },
      { event: 'process.fd_redirect', by: 'shell', where: { 'weir.fd.number': 0 } },
      { event: 'process.exec', by: 'shell', where: { 'weir.exec.flags': has('stdin_socket', 'stdout_socket') } },
    ],
    atMost: 120,
    twin: { run: ({ deed }) => [deed, 'piped', '/bin/bash'] },
  },
  {
    id: '12c',
    title: 'a shell behind a tool for connections',
    run: ({ deed, bin }) => [deed, 'reverse', 'nc', `${bin}/nc`, `${bin}/sh`],
    expected: [
      {
        event: 'network.connect',
        by: 'shell',
        where: { 'destination.port': told('main', 'port'), 'weir.process.comm': 'nc' },
      },
      {
        event: 'process.exec',
        by: 'shell',
        where: { 'weir.exec.flags': has('stdin_socket', 'stdout_socket'), 'weir.exec.filename': /sh$/ },
      },
    ],
    atMost: 40,
    twin: { run: ({ deed, bin }) => [deed, 'piped', `${bin}/sh`] },
  },
  {
    id: '13',
    title: 'datagrams, and sockets that are not of the Internet',
    run: ({ deed }) => [deed, 'datagrams'],
    expected: [
      // At its beginning, and what it came to.
      ...[1, 10].map((packets) => ({
        event: 'network.flow',
        by: 'main',
        where: {
          'network.transport': 'udp',
          'destination.address': loopback,
          'destination.port': told('main', 'port'),
          'weir.network.direction': 'egress',
          'source.bytes': 4 * packets,
          'source.packets': packets,
        },
      })),
      {
        event: 'network.flow',
        by: 'main',
        where: { 'destination.port': told('main', 'port'), 'source.packets': 9, 'source.bytes': 36 },
      },
      { event: 'network.flow', by: 'main', where: { 'network.transport': 'icmp' } },
      { event: 'network.socket', by: 'main', where: { 'weir.socket.type': 'raw', 'weir.socket.family': 'inet' } },
      ...['packet', 'netlink', 'vsock', 'alg'].map((family) => ({
        event: 'network.socket',
        by: 'main',
        where: { 'weir.socket.family': family },
        // Where the kernel has no such sockets, nothing came to be.
        unless: (facts: Facts) => facts.of(family)['made'] !== true,
      })),
    ],
    atMost: 40,
    twin: { run: ({ deed }) => [deed, 'pair'] },
  },
  {
    id: '14',
    title: 'sockets of a container engine, and of no path',
    run: ({ deed }) => [deed, 'local'],
    expected: [
      {
        event: 'network.connect',
        by: 'main',
        where: { 'network.transport': 'unix', 'network.peer.address': /docker\.sock$/ },
      },
      {
        event: 'network.connect',
        by: 'main',
        where: { 'network.transport': 'unix', 'network.peer.address': /^@weir-deed-\d+$/ },
      },
    ],
    atMost: 25,
    twin: { run: ({ deed }) => [deed, 'pair'], never: [{ event: 'network.connect' }] },
  },
  {
    id: '15',
    title: 'names that are asked for',
    run: ({ deed }) => [deed, 'names'],
    expected: [
      { event: 'dns.query', by: 'main', where: { 'dns.question.name': 'udp.weir.example', 'dns.question.type': 'A' } },
      {
        event: 'dns.response',
        by: 'main',
        where: {
          'dns.question.name': 'udp.weir.example',
          'dns.response.code': 'NOERROR',
          'dns.answers': has('10.1.2.3'),
          'event.duration': atLeast(4_000_000),
        },
      },
      {
        event: 'dns.query',
        by: 'main',
        where: { 'dns.question.name': 'tcp.weir.example', 'network.transport': 'tcp' },
      },
      {
        event: 'dns.response',
        by: 'main',
        where: { 'dns.question.name': 'tcp.weir.example', 'dns.response.code': 'NXDOMAIN' },
      },
      { event: 'dns.query', by: 'main', where: { 'dns.question.name': /^mfrggzdfmztwq2lk.*\.t\.example$/ } },
      { event: 'dns.query', by: 'main', where: { 'dns.question.name': 'printer.local' } },
    ],
    atMost: 50,
    twin: { run: ({ deed }) => [deed, 'gibberish'], never: [{ event: 'dns.query' }, { event: 'dns.response' }] },
  },
  {
    id: '16',
    title: 'hosts that are spoken to',
    run: ({ deed }) => [deed, 'hosts'],
    expected: [
      {
        event: 'tls.client_hello',
        by: 'main',
        where: {
          'tls.client.server_name': 'one.weir.example',
          'weir.tls.alpn': has('h2', 'http/1.1'),
          'weir.tls.version': present,
        },
      },
      { event: 'tls.client_hello', by: 'main', where: { 'tls.client.server_name': 'two.weir.example' } },
      {
        event: 'tls.client_hello',
        by: 'main',
        where: { 'tls.client.server_name': 'outer.weir.example', 'weir.tls.ech': true },
      },
      {
        event: 'http.request',
        by: 'main',
        where: {
          'http.request.method': 'GET',
          'url.domain': 'http.weir.example',
          'url.path': /^\/first/,
          'user_agent.original': 'deed/1',
        },
      },
      { event: 'http.request', by: 'main', where: { 'http.request.method': 'POST', 'url.path': '/second' } },
      {
        event: 'http.request',
        by: 'main',
        where: { 'url.domain': 'h2c.weir.example', 'network.protocol.version': '2' },
      },
    ],
    atMost: 60,
    twin: {
      run: ({ deed }) => [deed, 'gibberish'],
      never: [{ event: 'tls.client_hello' }, { event: 'http.request' }],
    },
  },
  {
    id: '17',
    title: 'much is sent away',
    run: ({ deed }) => [deed, 'upload', '50'],
    expected: [
      {
        event: 'network.close',
        by: 'main',
        where: { 'destination.port': told('main', 'port'), 'source.bytes': atLeast(50 << 20) },
      },
      { event: 'http.request', by: 'main', where: { 'http.request.method': 'POST', 'url.domain': 'drop.example' } },
    ],
    atMost: 25,
    twin: {
      run: ({ deed }) => [deed, 'gibberish'],
      never: [{ event: 'network.close', where: { 'source.bytes': atLeast(1 << 20) } }],
    },
  },
]

function hasNoIpv6(facts: Facts): boolean {
  return facts.of('v6')['port'] === undefined
}
