/** Attributes of sockets, and of what is said over them. */
import { flag, type Group, int, text, texts } from './attribute-types.ts'

const SOCKETS: Group = {
  title: 'Sockets',
  events: '`network.*`, `dns.*`, `tls.client_hello`, `http.request`, `process.fd_redirect`',
  attributes: {
    'source.address': text('Who began.'),
    'source.port': int('Its port.'),
    'source.domain': text('Name by which a process of the same network found the address lately.'),
    'destination.address': text('Who was asked; of a listener its own address.'),
    'destination.port': int('Its port.'),
    'destination.domain': text('Name by which a process of the same network found the address lately.'),
    'network.transport': text('`tcp`, `udp`, `icmp`, …; `unix` and other families by their names.'),
    'network.type': text('`ipv4` or `ipv6`.'),
    'network.peer.address': text('Path of a Unix socket; an abstract name begins with `@`.'),
    'weir.network.direction': text('`egress` when the process began, `ingress` when the other end did.'),
    'weir.network.established': flag('Of `network.close`: the connection stood.'),
    'weir.socket.cookie': int('Names a socket for its lifetime: joins the records of a connection.'),
    'weir.socket.family': text('`inet`, `inet6`, `unix`, `packet`, `netlink`, `vsock`, `alg`, …'),
    'weir.socket.type': text('`stream`, `dgram`, `raw`, …'),
    'source.bytes': int('From the source to the destination, of `network.close` and `network.flow`.', 'By'),
    'destination.bytes': int('From the destination to the source.', 'By'),
    'source.packets': int('Of `network.flow`.'),
    'destination.packets': int('Of `network.flow`.'),
    'event.duration': int('How long the connection or flow lasted; of `dns.response` how long the answer took.', 'ns'),
    'weir.fd.number': int('Of `process.fd_redirect`: the descriptor that became the socket, 0 to 2.'),
  },
}

const CONVERSATIONS: Group = {
  title: 'Names, handshakes and requests',
  events: '`dns.query`, `dns.response`, `tls.client_hello`, `http.request`',
  attributes: {
    'network.protocol.name': text('`dns`, `tls` or `http`.'),
    'network.protocol.version': text('Of HTTP: `1.1`, `2`.'),
    'dns.question.name': text('The name that is asked for.'),
    'dns.question.type': text('`A`, `AAAA`, `TXT`, …'),
    'dns.response.code': text('`NOERROR`, `NXDOMAIN`, …'),
    'dns.answers': texts('Data of the answers.'),
    'weir.dns.id': int('Number by which question and answer belong together.'),
    'tls.client.server_name': text('The name that is asked for (SNI); with ECH the outer one.'),
    'weir.tls.ech': flag('The true name is encrypted.'),
    'weir.tls.version': text('Highest version that is offered: `1.3`.'),
    'weir.tls.alpn': texts('Protocols that are offered: `h2`, `http/1.1`.'),
    'weir.tls.ja4': text('Fingerprint of the client (JA4).'),
    'http.request.method': text('`GET`, …'),
    'url.path': text('Without the query; what looks like a secret is replaced.'),
    'url.domain': text('The host that is asked for.'),
    'url.port': int('Its port, where one was named.'),
    'user_agent.original': text('As the client said.'),
  },
}

export const NETWORK_GROUPS: readonly Group[] = [SOCKETS, CONVERSATIONS]
