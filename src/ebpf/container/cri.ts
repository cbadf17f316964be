/**
 * Names and labels of pods from the container runtime, by its interface for the kubelet (CRI, runtime.v1 in
 * k8s.io/cri-api/pkg/apis/runtime/v1/api.proto) over a socket of the node. Whoever may speak there may do anything on the
 * node, so that it is asked only where labels are needed, and only to list.
 */
import type { Client } from '@grpc/grpc-js'
import { loadGrpc } from '../../otlp/grpc.ts'
import { ProtoReader } from '../../otlp/proto-reader.ts'
import type { NameSource, PodNames } from './pods.ts'

/** Where runtimes listen: containerd, CRI-O, k3s. */
export const CRI_SOCKETS = [
  '/run/containerd/containerd.sock',
  '/run/crio/crio.sock',
  '/run/k3s/containerd/containerd.sock',
] as const

const SERVICE = '/runtime.v1.RuntimeService'
const TIMEOUT_MS = 5000
const MOST_BYTES = 16 * 1024 * 1024
/** Pods of a node are a few hundred. */
const MOST_PODS = 10_000
const MOST_LABELS = 256
const MOST_TEXT = 512

/** What a list of pods or of containers says of one. */
export interface CriItem {
  readonly id: string
  readonly labels: ReadonlyMap<string, string>
}

interface Pod {
  readonly namespace: string
  readonly pod: string
  readonly labels: ReadonlyMap<string, string>
}

const OWN = 'io.kubernetes.'

export class Cri implements NameSource {
  readonly #socket: string
  readonly #onError: (error: unknown) => void
  #client: Client | undefined
  /** By uid. */
  #pods = new Map<string, Pod>()
  /** Names of containers by id. */
  #containers = new Map<string, string>()
  #asking: Promise<void> | undefined

  constructor(socket: string, onError: (error: unknown) => void) {
    this.#socket = socket
    this.#onError = onError
  }

  lookup(podUid: string, containerId: string): PodNames | undefined {
    const pod = this.#pods.get(podUid)
    const container = this.#containers.get(containerId)
    if (pod === undefined || container === undefined) void this.refresh()
    if (pod === undefined) return undefined
    return { namespace: pod.namespace, pod: pod.pod, labels: pod.labels, ...(container !== undefined && { container }) }
  }

  /** Lists anew; one list at a time. Never rejects. */
  refresh(): Promise<void> {
    this.#asking ??= this.#list()
      .catch(this.#onError)
      .finally(() => {
        this.#asking = undefined
      })
    return this.#asking
  }

  close(): void {
    this.#client?.close()
    this.#client = undefined
  }

  async #list(): Promise<void> {
    const pods = parseItems(await this.#call('ListPodSandbox'), 5)
    const containers = parseItems(await this.#call('ListContainers'), 8)
    this.#pods = new Map(
      pods.flatMap(({ labels }): [string, Pod][] => {
        const [uid, namespace, pod] = ['pod.uid', 'pod.namespace', 'pod.name'].map((name) =>
          labels.get(`${OWN}${name}`),
        )
        return uid === undefined || namespace === undefined || pod === undefined
          ? []
          : [[uid, { namespace, pod, labels }]]
      }),
    )
    this.#containers = new Map(
      containers.flatMap(({ id, labels }): [string, string][] => {
        const name = labels.get(`${OWN}container.name`)
        return name === undefined ? [] : [[id, name]]
      }),
    )
  }

  async #call(method: string): Promise<Buffer> {
    const grpc = await loadGrpc()
    this.#client ??= new grpc.Client(`unix://${this.#socket}`, grpc.credentials.createInsecure(), {
      'grpc.max_receive_message_length': MOST_BYTES,
      // Of a socket there is no host to name.
      'grpc.default_authority': 'localhost',
    })
    const client = this.#client
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        `${SERVICE}/${method}`,
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        // Without a filter: all of them.
        Buffer.alloc(0),
        { deadline: Date.now() + TIMEOUT_MS },
        (error, answer) => (error === null && answer !== undefined ? resolve(answer) : reject(error)),
      )
    })
  }
}

/** Items of ListPodSandboxResponse (labels in field 5) and ListContainersResponse (field 8). Throws on what is no protobuf. */
export function parseItems(bytes: Buffer, labelsField: number): CriItem[] {
  const reader = new ProtoReader(bytes)
  const items: CriItem[] = []
  while (reader.hasMore(bytes.length)) {
    const tag = reader.tag()
    if (tag === ((1 << 3) | 2) && items.length < MOST_PODS)
      items.push(parseItem(reader, reader.end(bytes.length), labelsField))
    else reader.skip(tag, bytes.length)
  }
  return items
}

function parseItem(reader: ProtoReader, end: number, labelsField: number): CriItem {
  let id = ''
  const labels = new Map<string, string>()
  while (reader.hasMore(end)) {
    const tag = reader.tag()
    if (tag === ((1 << 3) | 2)) id = reader.text(reader.end(end))
    else if (tag === ((labelsField << 3) | 2)) parseLabel(reader, reader.end(end), labels)
    else reader.skip(tag, end)
  }
  return { id, labels }
}

function parseLabel(reader: ProtoReader, end: number, labels: Map<string, string>): void {
  let key = ''
  let value = ''
  while (reader.hasMore(end)) {
    const tag = reader.tag()
    if (tag === ((1 << 3) | 2)) key = reader.text(reader.end(end))
    else if (tag === ((2 << 3) | 2)) value = reader.text(reader.end(end))
    else reader.skip(tag, end)
  }
  if (key.length <= MOST_TEXT && value.length <= MOST_TEXT && labels.size < MOST_LABELS) labels.set(key, value)
}
