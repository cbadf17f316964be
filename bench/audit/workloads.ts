/** What controllers, operators and deployment pipelines do to workloads. */
import { configMapBody, deploymentBody, podBody, secretBody } from './bodies.ts'
import { core, ref, type Scene } from './call.ts'
import { NAMESPACES, type Pod } from './cluster.ts'

/** A replica set replaces a pod: created, bound by the scheduler, reported by its kubelet. */
export const newPod: Scene = ({ controllers, workloads, nodes }, random) => {
  const workload = random.pick(workloads)
  const node = random.pick(nodes)
  const name = `${workload.name}-${workload.templateHash}-${random.suffix(5)}`
  const pod: Pod = {
    namespace: workload.namespace,
    name,
    uid: random.uuid(),
    node: node.name,
    ip: '',
    workload: workload.name,
  }
  const body = podBody(workload, pod, random)
  const { namespace } = workload
  return [
    {
      who: controllers.replicaset,
      verb: 'create',
      uri: core(namespace, 'pods'),
      level: 'RequestResponse',
      code: 201,
      object: ref('pods', namespace, ''),
      request: body,
      response: body,
    },
    {
      who: controllers.scheduler,
      verb: 'create',
      uri: core(namespace, 'pods', `/${name}/binding`),
      level: 'Request',
      code: 201,
      object: ref('pods', namespace, name, '', 'v1', 'binding'),
      request: {
        kind: 'Binding',
        apiVersion: 'v1',
        metadata: { name, namespace, uid: pod.uid },
        target: { kind: 'Node', name: node.name },
      },
    },
    {
      who: node.identity,
      verb: 'patch',
      uri: core(namespace, 'pods', `/${name}/status`),
      level: 'RequestResponse',
      object: ref('pods', namespace, name, '', 'v1', 'status'),
      request: { metadata: { uid: pod.uid }, status: { phase: 'Running', podIP: '10.244.1.9' } },
      response: body,
    },
  ]
}

export const oldPod: Scene = ({ controllers, pods }, random) => {
  const { namespace, name } = random.pick(pods)
  const gone = random.chance(0.1)
  return [
    {
      who: controllers.gc,
      verb: 'delete',
      uri: core(namespace, 'pods', `/${name}`),
      level: 'Request',
      object: ref('pods', namespace, name),
      request: { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 30 },
      ...(gone && { code: 404, reason: 'NotFound', message: `pods "${name}" not found` }),
    },
  ]
}

export const rollout: Scene = ({ controllers, workloads }, random) => {
  const workload = random.pick(workloads)
  const body = deploymentBody(workload, random)
  const conflict = random.chance(0.05)
  return [
    {
      who: controllers.deployment,
      verb: 'update',
      uri: `/apis/apps/v1/namespaces/${workload.namespace}/deployments/${workload.name}/status`,
      level: 'RequestResponse',
      object: ref('deployments', workload.namespace, workload.name, 'apps', 'v1', 'status'),
      request: body,
      response: body,
      ...(conflict && {
        code: 409,
        reason: 'Conflict',
        message: 'the object has been modified; please apply your changes to the latest version',
      }),
    },
  ]
}

export const operator: Scene = ({ operators }, random) => {
  const who = random.pick(operators)
  const namespace = random.pick(NAMESPACES)
  const resource = random.pick(['secrets', 'configmaps', 'pods', 'services'])
  return [
    {
      who,
      verb: 'list',
      uri: `/api/v1/namespaces/${namespace}/${resource}?limit=500`,
      level: 'Metadata',
      object: ref(resource, namespace, ''),
    },
  ]
}

export const deploy: Scene = ({ ci, workloads }, random) => {
  const who = random.pick(ci)
  const workload = random.pick(workloads.filter(({ namespace }) => who.namespaces.includes(namespace)))
  const { namespace, name } = workload
  const body = deploymentBody(workload, random)
  const release = `sh.helm.release.v1.${name}.v${1 + random.below(90)}`
  const settings = configMapBody(namespace, `${name}-settings`, random)
  return [
    {
      who,
      verb: 'list',
      uri: core(namespace, 'secrets', `?labelSelector=name%3D${name}%2Cowner%3Dhelm`),
      level: 'Metadata',
      object: ref('secrets', namespace, ''),
    },
    {
      who,
      verb: 'create',
      uri: core(namespace, 'secrets', '?fieldManager=helm'),
      level: 'Request',
      code: 201,
      object: ref('secrets', namespace, release),
      request: secretBody(namespace, release, random),
      announced: true,
    },
    {
      who,
      verb: 'patch',
      uri: core(namespace, 'configmaps', `/${name}-settings`),
      level: 'RequestResponse',
      object: ref('configmaps', namespace, `${name}-settings`),
      request: { data: { LOG_LEVEL: 'info' } },
      response: settings,
      announced: true,
    },
    {
      who,
      verb: 'patch',
      uri: `/apis/apps/v1/namespaces/${namespace}/deployments/${name}?fieldManager=helm`,
      level: 'RequestResponse',
      object: ref('deployments', namespace, name, 'apps'),
      request: body,
      response: body,
      announced: true,
    },
    {
      who,
      verb: 'watch',
      uri: `/apis/apps/v1/namespaces/${namespace}/deployments?fieldSelector=metadata.name%3D${name}&watch=true`,
      level: 'Metadata',
      object: ref('deployments', namespace, name, 'apps'),
      lasts: 40,
    },
  ]
}
