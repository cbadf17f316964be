/** Bodies as the API server logs them at the levels Request and RequestResponse. All credentials in them are made up. */
import type { Pod, Workload } from './cluster.ts'
import type { Random } from './random.ts'

type Json = Record<string, unknown>

export function secretBody(namespace: string, name: string, random: Random): Json {
  return {
    kind: 'Secret',
    apiVersion: 'v1',
    metadata: {
      ...metadata(namespace, name, random, 'kubectl-create', ['f:data']),
      annotations: {},
    },
    data: { username: 'YXBw', password: random.base64(24), 'tls.key': random.base64(120) },
    type: 'Opaque',
  }
}

export function configMapBody(namespace: string, name: string, random: Random): Json {
  const lines = Array.from({ length: 14 }, (_, i) => `setting.${i}=${random.hex(20)}`)
  return {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: metadata(namespace, name, random, 'helm', ['f:data']),
    data: { 'application.properties': lines.join('\n'), LOG_LEVEL: random.pick(['debug', 'info', 'warn']) },
  }
}

export function podBody(workload: Workload, pod: Pod, random: Random, privileged = false): Json {
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      ...metadata(pod.namespace, pod.name, random, 'kube-controller-manager', ['f:spec', 'f:containers', 'f:volumes']),
      generateName: `${workload.name}-${workload.templateHash}-`,
      labels: { app: workload.name, 'pod-template-hash': workload.templateHash },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: `${workload.name}-${workload.templateHash}`,
          uid: random.uuid(),
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: podSpec(workload, pod.node, random, privileged),
    status: { phase: 'Pending', qosClass: 'Burstable' },
  }
}

function podSpec(workload: Workload, node: string | undefined, random: Random, privileged: boolean): Json {
  const token = `kube-api-access-${random.suffix(5)}`
  return {
    volumes: [
      {
        name: token,
        projected: {
          sources: [
            { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
            { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          ],
          defaultMode: 420,
        },
      },
      ...(privileged ? [{ name: 'host', hostPath: { path: '/', type: 'Directory' } }] : []),
    ],
    containers: [
      {
        name: workload.name,
        image: workload.image,
        ports: [{ name: 'http', containerPort: workload.port, protocol: 'TCP' }],
        env: [
          { name: 'LOG_LEVEL', value: 'info' },
          { name: 'DB_USER', valueFrom: { secretKeyRef: { name: 'db-credentials', key: 'username' } } },
          { name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'db-credentials', key: 'password' } } },
        ],
        resources: { limits: { memory: '512Mi' }, requests: { cpu: '100m', memory: '256Mi' } },
        volumeMounts: [
          { name: token, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
          ...(privileged ? [{ name: 'host', mountPath: '/host' }] : []),
        ],
        livenessProbe: {
          httpGet: { path: '/livez', port: 'http', scheme: 'HTTP' },
          periodSeconds: 10,
          failureThreshold: 3,
        },
        readinessProbe: {
          httpGet: { path: '/readyz', port: 'http', scheme: 'HTTP' },
          periodSeconds: 5,
          failureThreshold: 3,
        },
        terminationMessagePath: '/dev/termination-log',
        imagePullPolicy: 'IfNotPresent',
        securityContext: privileged
          ? { privileged: true, runAsUser: 0 }
          : { runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    serviceAccountName: workload.name,
    ...(node === undefined ? {} : { nodeName: node }),
    hostPID: privileged,
    schedulerName: 'default-scheduler',
    tolerations: [
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ],
  }
}

export function deploymentBody(workload: Workload, random: Random): Json {
  const labels = { app: workload.name }
  return {
    kind: 'Deployment',
    apiVersion: 'apps/v1',
    metadata: {
      ...metadata(workload.namespace, workload.name, random, 'helm', ['f:replicas', 'f:strategy', 'f:template']),
      labels: { ...labels, 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: { 'deployment.kubernetes.io/revision': String(1 + random.below(90)) },
    },
    spec: {
      replicas: workload.pods.length,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: podSpec(workload, undefined, random, false) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    },
    status: { observedGeneration: 1 + random.below(90), replicas: workload.pods.length },
  }
}

export function tokenRequestBody(random: Random, pod: Pod, answered: boolean): Json {
  const token = `eyJhbGciOiJSUzI1NiIsImtpZCI6${random.hex(8)}.${random.hex(300)}.${random.hex(300)}`
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name: pod.workload, namespace: pod.namespace, creationTimestamp: null },
    spec: {
      audiences: ['https://kubernetes.default.svc.cluster.local'],
      expirationSeconds: 3607,
      boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: pod.name, uid: pod.uid },
    },
    status: answered
      ? { token, expirationTimestamp: '2026-11-02T05:04:05Z' }
      : { token: '', expirationTimestamp: null },
  }
}

export function accessReviewBody(verb: string, resource: string, namespace: string): Json {
  return {
    kind: 'SelfSubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    metadata: { creationTimestamp: null },
    spec: { resourceAttributes: { namespace, verb, resource } },
    status: { allowed: false },
  }
}

function metadata(namespace: string, name: string, random: Random, manager: string, fields: readonly string[]): Json {
  return {
    name,
    namespace,
    uid: random.uuid(),
    resourceVersion: String(10_000_000 + random.below(90_000_000)),
    creationTimestamp: '2026-11-01T10:11:12Z',
    managedFields: [
      {
        manager,
        operation: 'Update',
        apiVersion: 'v1',
        time: '2026-11-01T10:11:12Z',
        fieldsType: 'FieldsV1',
        fieldsV1: Object.fromEntries(
          fields.map((field) => [field, { '.': {}, 'f:app': {}, 'f:name': {}, 'k:{"uid":"x"}': {} }]),
        ),
      },
    ],
  }
}
