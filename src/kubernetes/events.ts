import { isRecord, optionalInteger, optionalText, record, text, type JsonRecord } from './json.ts';
import type { KubernetesObject } from './object.ts';
import { timestamp } from './timestamp.ts';

/** Kubernetes' Event, whichever of its two APIs it was written by. */
export interface ClusterEvent {
  /** metadata.uid. */
  readonly id: string;
  readonly name: string;
  readonly namespace: string | undefined;
  /** Normal or Warning; others may come. */
  readonly type: string;
  readonly reason: string;
  /** Without white space around it. */
  readonly message: string;
  /** What it is about. */
  readonly involvedObject: EventObject;
  readonly source: EventSource;
  /** How often it happened, at least 1. */
  readonly count: number;
  /** RFC 3339: when it happened first and last. Undefined when nothing says so. */
  readonly firstAt: string | undefined;
  readonly lastAt: string | undefined;
}

export interface EventObject {
  readonly apiVersion: string | undefined;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string | undefined;
  /** A part of it, such as "spec.containers{app}". */
  readonly fieldPath: string | undefined;
}

export interface EventSource {
  /** What reports it, such as "kubelet". */
  readonly component: string | undefined;
  /** Where that runs: a node, or a name of the instance. */
  readonly host: string | undefined;
}

const MAX_INT32 = 2 ** 31 - 1;

/**
 * Reads an Event of v1 or of events.k8s.io/v1, which is one object under two sets of names. Fields that are null, '' or
 * Go's zero time count as absent: whoever writes by the newer API leaves `firstTimestamp`, `lastTimestamp` and `count`
 * so, and gives `eventTime` and, from the second time on, `series`. Never throws.
 * Source: printEvent in Kubernetes' pkg/printers/internalversion/printers.go, with which test/kubectl compares it.
 */
export function clusterEvent(event: KubernetesObject): ClusterEvent {
  return {
    id: text(event.metadata.uid),
    name: text(event.metadata.name),
    namespace: optionalText(event.metadata.namespace),
    type: text(event['type']),
    reason: text(event['reason']),
    message: (text(event['message']) || text(event['note'])).trim(),
    involvedObject: involvedObject(event),
    source: source(event),
    count: count(event),
    firstAt: firstAt(event),
    lastAt: eventTime(event),
  };
}

/**
 * When an event happened last, RFC 3339: the series' last observation, `lastTimestamp`, `eventTime`, `firstTimestamp`,
 * the object's creation, whichever is there first.
 */
export function eventTime(event: KubernetesObject): string | undefined {
  return (
    timestamp(record(event['series'])['lastObservedTime']) ??
    timestamp(event['lastTimestamp']) ??
    timestamp(event['deprecatedLastTimestamp']) ??
    firstAt(event)
  );
}

function firstAt(event: KubernetesObject): string | undefined {
  return (
    timestamp(event['firstTimestamp']) ??
    timestamp(event['deprecatedFirstTimestamp']) ??
    timestamp(event['eventTime']) ??
    timestamp(event.metadata.creationTimestamp)
  );
}

function count(event: KubernetesObject): number {
  const { series } = event;
  const written = isRecord(series) ? series['count'] : (event['count'] ?? event['deprecatedCount']);
  return Math.min(Math.max(1, optionalInteger(written) ?? 1), MAX_INT32);
}

function involvedObject(event: KubernetesObject): EventObject {
  const fields: JsonRecord = isRecord(event['involvedObject']) ? event['involvedObject'] : record(event['regarding']);
  return {
    apiVersion: optionalText(fields['apiVersion']),
    kind: text(fields['kind']),
    namespace: optionalText(fields['namespace']),
    name: text(fields['name']),
    uid: optionalText(fields['uid']),
    fieldPath: optionalText(fields['fieldPath']),
  };
}

function source(event: KubernetesObject): EventSource {
  const fields: JsonRecord = isRecord(event['source']) ? event['source'] : record(event['deprecatedSource']);
  const [controller, instance] = [
    text(event['reportingController']) || text(event['reportingComponent']),
    text(event['reportingInstance']),
  ];
  return {
    component: optionalText(fields['component']) ?? optionalText(controller),
    host: optionalText(fields['host']) ?? optionalText(instance),
  };
}
