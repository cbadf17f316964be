/** The runtime's list of pods and containers: over gRPC on a socket, as containerd answers it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { Containers } from '../../../src/ebpf/container/containers.ts'
import { Cri, parseItems } from '../../../src/ebpf/container/cri.ts'
import { containerDecision, NO_RULES } from '../../../src/ebpf/sensing/rules.ts'

const UID = '3f1c9a52-7d0e-4b57-9d3e-0d7a3f1c9a52'
const ID = 'ab'.repeat(32)

/** A field of bytes (wire type 2) of a protobuf message. */
function field(number: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value)
  const length: number[] = []
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest)
    if (rest <= 127) break
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes])
}

function label(number: number, key: string, value: string): Buffer {
  return field(number, Buffer.concat([field(1, key), field(2, value)]))
}

const PODS = field(
  1,
  Buffer.concat([
    field(1, 'sandbox-1'),
    field(2, Buffer.concat([field(1, 'nginx-7d9'), field(2, UID), field(3, 'shop')])),
    // state and created_at: numbers.
    Buffer.from([0x18, 0x00, 0x20, 0x96, 0x01]),
    label(5, 'app', 'nginx'),
    label(5, 'io.kubernetes.pod.name', 'nginx-7d9'),
    label(5, 'io.kubernetes.pod.namespace', 'shop'),
    label(5, 'io.kubernetes.pod.uid', UID),
    label(6, 'annotation', 'x'.repeat(300)),
    field(7, 'runc'),
  ]),
)
const CONTAINERS = field(
  1,
  Buffer.concat([field(1, ID), field(2, 'sandbox-1'), label(8, 'io.kubernetes.container.name', 'web')]),
)

function fail(error: unknown): never {
  throw error
}

describe('the container runtime', () => {
  const room = mkdtempSync(join(tmpdir(), 'weir-cri-'))
  const socket = join(room, 'cri.sock')
  let server: Server
  let lists = 0

  before(async () => {
    const answer = (bytes: Buffer) => ({
      requestStream: false,
      responseStream: false,
      requestSerialize: (each: Buffer) => each,
      requestDeserialize: (each: Buffer) => each,
      responseSerialize: (each: Buffer) => each,
      responseDeserialize: (each: Buffer) => each,
      bytes,
    })
    server = new Server()
    server.addService(
      {
        ListPodSandbox: { path: '/runtime.v1.RuntimeService/ListPodSandbox', ...answer(PODS) },
        ListContainers: { path: '/runtime.v1.RuntimeService/ListContainers', ...answer(CONTAINERS) },
      },
      {
        ListPodSandbox: (_: unknown, reply: (error: null, bytes: Buffer) => void) => {
          lists++
          reply(null, PODS)
        },
        ListContainers: (_: unknown, reply: (error: null, bytes: Buffer) => void) => reply(null, CONTAINERS),
      },
    )
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      )
    })
  })

  after(() => {
    server.forceShutdown()
    rmSync(room, { recursive: true, force: true })
  })

  test('names pods and containers, and knows the labels of pods', async () => {
    const cri = new Cri(socket, fail)
    assert.equal(cri.lookup(UID, ID), undefined, 'it is asked, and tells later')
    await cri.refresh()
    const names = cri.lookup(UID, ID)
    assert.deepEqual([names?.namespace, names?.pod, names?.container], ['shop', 'nginx-7d9', 'web'])
    assert.equal(names?.labels?.get('app'), 'nginx')
    cri.close()
  })

  test('is asked once for many', async () => {
    const cri = new Cri(socket, fail)
    lists = 0
    for (let i = 0; i < 100; i++) cri.lookup(`other-${i}`, ID)
    await cri.refresh()
    assert.equal(lists, 1)
    cri.close()
  })

  test('that does not answer costs names, nothing else', async () => {
    const errors: unknown[] = []
    const cri = new Cri(join(room, 'nobody.sock'), (error) => errors.push(error))
    await cri.refresh()
    assert.equal(cri.lookup(UID, ID), undefined)
    await cri.refresh()
    assert(errors.length > 0)
    cri.close()
  })

  test('a rule on a label decides when the runtime has told it', async () => {
    const cri = new Cri(socket, fail)
    const seen: boolean[] = []
    const isReported = containerDecision({ include: NO_RULES, exclude: { ...NO_RULES, pod_labels: ['app=ngin*'] } })
    const containers = new Containers({
      node: 'n',
      resource: {},
      names: cri,
      onContainer: ({ container }) => seen.push(isReported(container)),
    })
    containers.made(7, `/kubepods/burstable/pod${UID}/${ID}`, 0)
    await cri.refresh()
    containers.tick(1e9)
    assert.deepEqual(seen, [true, false])
    cri.close()
  })
})

describe('answers that are none', () => {
  for (const [what, bytes] of [
    ['cut off', PODS.subarray(0, PODS.length - 5)],
    ['lengths beyond the end', Buffer.from([0x0a, 0xff, 0xff, 0xff, 0x7f])],
    ['no protobuf', Buffer.from('<html>')],
  ] as const) {
    test(what, () => {
      assert.throws(() => parseItems(bytes, 5), RangeError)
    })
  }
})
