/** Fields of a document that are not an attribute: the record's own, and what follows from its event name. */
import { constant, date, flat, keyword, long, opaque, type Target, text } from './types.ts'

interface Computed extends Target {
  readonly meaning: string
}

const of = (target: Target, meaning: string): Computed => ({ ...target, meaning })

export const COMPUTED: readonly Computed[] = [
  of(date('@timestamp'), "The record's time, with nanoseconds."),
  of(text('message'), "The record's body: one line for a person."),
  of(keyword('ecs.version'), 'The version of ECS that these fields follow.'),
  of(constant('data_stream.type'), '`logs`.'),
  of(constant('data_stream.dataset'), 'As in the name of the data stream.'),
  of(constant('data_stream.namespace'), 'As in the name of the data stream.'),
  of(keyword('event.kind'), '`event`, `alert` for findings, `metric` for what Weir says of its sensors.'),
  of(keyword('event.category'), 'By the event name, for audit events also by the resource.'),
  of(keyword('event.type'), 'By the event name, for audit events by verb and decision.'),
  of(keyword('event.action'), 'What was done: `exec`, `connect`, for audit events the verb.'),
  of(keyword('event.code'), 'The event name: `process.exec`, `k8s.audit`.'),
  of(keyword('event.outcome'), '`success` or `failure`, for audit events by the decision, else by the status code.'),
  of(keyword('event.dataset'), 'As `data_stream.dataset`.'),
  of(keyword('event.module'), '`kubernetes` for audit events, else `weir`.'),
  of(date('event.created'), 'When Weir saw it.'),
  of(long('event.duration'), 'Nanoseconds from the arrival of the request, for audit events.'),
  of(long('event.severity'), "OpenTelemetry's severity number, 1 to 24."),
  of(keyword('log.level'), 'The severity in words, in lower case.'),
  of(keyword('host.os.type'), '`linux` for what the kernel reported.'),
  of(keyword('orchestrator.type'), '`kubernetes` where an attribute of Kubernetes is present.'),
  of(keyword('trace.id'), 'Where the record belongs to a trace.'),
  of(keyword('span.id'), 'Where the record belongs to a trace.'),
  of(keyword('container.image.name'), 'For audit events of pods: the images of the request, where bodies are kept.'),
  of(flat('kubernetes.audit.requestObject'), 'The body of the request, on request (`k8s.audit.request_object`).'),
  of(flat('kubernetes.audit.responseObject'), 'The body of the response, on request (`k8s.audit.response_object`).'),
  of(keyword('kubernetes.audit.kind'), '`Event`.'),
  of(date('kubernetes.audit.stageTimestamp'), "The record's time."),
  of(keyword('weir.scope'), 'Name of the instrumentation scope.'),
  of(long('weir.dropped_attributes_count'), 'Attributes that found no room, where there are any.'),
  of(flat('weir.attributes'), 'Attributes without a field of their own, by their names.'),
  of(flat('weir.resource'), 'Attributes of the resource without a field of their own, by their names.'),
  of(opaque('weir.unindexed'), 'Attributes that are too long or too deep to be searched, by their names.'),
  of(opaque('weir.unindexed_resource'), 'The same of the resource.'),
  of(opaque('weir.k8s.audit.unindexed'), 'Bodies of audit events that were cut and are no JSON any more.'),
]
