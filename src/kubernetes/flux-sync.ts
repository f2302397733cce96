import { conditionsOf, type Condition } from './conditions.ts';
import { fluxSuspension, type FluxSuspension } from './flux.ts';
import { deletionHealth, healthFrom, type Health, type HealthLevel } from './generic-health.ts';
import { integer, optionalInteger, record } from './json.ts';
import type { KubernetesObject } from './object.ts';

export type FluxSyncStatus =
  | 'RECONCILED'
  | 'RECONCILING'
  | 'RECONCILING_WITH_BAD_CONFIG'
  | 'STALLED'
  | 'FAILED'
  | 'SUSPENDED'
  | 'UNKNOWN'
  | 'UNAVAILABLE';

export interface FluxSync {
  readonly status: FluxSyncStatus;
  /** One word for programs: the reason of the condition that decided. */
  readonly reason: string | undefined;
  /** For a person: that condition's message. */
  readonly message: string | undefined;
}

/** The conditions that decide; each undefined when it is missing. */
interface Found {
  readonly generation: number;
  readonly stalled: Condition | undefined;
  readonly reconciling: Condition | undefined;
  readonly ready: Condition | undefined;
}

const NOT_REPORTED = 'Its controller has not reported anything yet.';

/**
 * How the object stands to what it was asked for: GitLab's eight values, in this order.
 *
 * 1. SUSPENDED by `spec.suspend`, whatever the conditions, and also without any.
 * 2. UNAVAILABLE without conditions. (A HelmRepository of type oci never has any: it is RECONCILED by being there.)
 * 3. STALLED by Stalled=True, before Ready, which is False at the same time: GitLab's order hides it behind FAILED.
 * 4. RECONCILING when the verdict is about an older generation: what it says may just have been corrected.
 * 5. Ready=False. It is a failure, unless the controller says otherwise. DependencyNotReady is RECONCILING: it waits.
 *    With Reconciling=True the reason tells: ProgressingWithRetry means that the last attempt failed and none is running,
 *    which may go on for ever (a Kustomization that does not build is never Stalled), so it is FAILED; any other reason
 *    means that an attempt is running after a failed one: RECONCILING_WITH_BAD_CONFIG.
 * 6. RECONCILING_WITH_BAD_CONFIG by Ready=Unknown with reason Progressing, which GitLab calls so.
 * 7. RECONCILING by Reconciling=True.
 * 8. RECONCILED by Ready=True.
 * 9. UNKNOWN.
 */
export function fluxSync(object: KubernetesObject): FluxSync {
  const suspension = fluxSuspension(object);
  if (suspension.suspended) return { status: 'SUSPENDED', reason: 'Suspended', message: suspendedMessage(suspension) };
  const conditions = conditionsOf(object);
  if (conditions.length === 0) return unreported(object);
  const find = (type: string) => conditions.find((each) => each.type === type);
  return verdict(object, {
    generation: integer(object.metadata.generation),
    stalled: find('Stalled'),
    reconciling: find('Reconciling'),
    ready: find('Ready'),
  });
}

/** PROGRESSING while it is being deleted, and otherwise as `fluxSync` has it; SUSPENDED when it is. */
export function fluxHealth(object: KubernetesObject): Health {
  const { status, reason, message } = fluxSync(object);
  return deletionHealth(object) ?? healthFrom(LEVELS[status], { reason: reason ?? status, message });
}

const LEVELS: Readonly<Record<FluxSyncStatus, HealthLevel>> = {
  RECONCILED: 'HEALTHY',
  RECONCILING: 'PROGRESSING',
  RECONCILING_WITH_BAD_CONFIG: 'PROGRESSING',
  STALLED: 'DEGRADED',
  FAILED: 'DEGRADED',
  SUSPENDED: 'SUSPENDED',
  UNKNOWN: 'UNKNOWN',
  UNAVAILABLE: 'UNKNOWN',
};

function verdict(object: KubernetesObject, found: Found): FluxSync {
  const { generation, stalled, reconciling, ready } = found;
  if (stalled?.status === 'True' && !isStale(stalled, generation)) return by('STALLED', stalled);
  const isReconciling = reconciling?.status === 'True';
  if (ready !== undefined && (isStale(ready, generation) || isUnconfirmed(object, ready))) {
    return isReconciling ? by('RECONCILING', reconciling) : unhandled(generation);
  }
  if (ready?.status === 'False') return by(notReady(ready, isReconciling ? reconciling : undefined), ready);
  if (ready?.status === 'Unknown' && ready.reason === 'Progressing') return by('RECONCILING_WITH_BAD_CONFIG', ready);
  if (isReconciling) return by('RECONCILING', reconciling);
  if (ready?.status === 'True') return by('RECONCILED', ready);
  return { status: 'UNKNOWN', reason: ready?.reason, message: ready?.message };
}

function notReady(ready: Condition, reconciling: Condition | undefined): FluxSyncStatus {
  if (ready.reason === 'DependencyNotReady') return 'RECONCILING';
  if (reconciling === undefined || reconciling.reason === 'ProgressingWithRetry') return 'FAILED';
  return 'RECONCILING_WITH_BAD_CONFIG';
}

function isStale(condition: Condition, generation: number): boolean {
  return condition.observedGeneration !== undefined && condition.observedGeneration < generation;
}

/** A success that does not name its generation is one of the status'. Failures do not advance that one. */
function isUnconfirmed(object: KubernetesObject, ready: Condition): boolean {
  if (ready.status !== 'True' || ready.observedGeneration !== undefined) return false;
  const observed = optionalInteger(record(object.status)['observedGeneration']);
  return observed !== undefined && observed < integer(object.metadata.generation);
}

function unhandled(generation: number): FluxSync {
  const message = `Generation ${generation} has not been handled yet.`;
  return { status: 'RECONCILING', reason: 'GenerationNotObserved', message };
}

function unreported(object: KubernetesObject): FluxSync {
  if (object.kind === 'HelmRepository' && record(object.spec)['type'] === 'oci') {
    return { status: 'RECONCILED', reason: 'Static', message: 'A HelmRepository of type oci needs no reconciliation.' };
  }
  return { status: 'UNAVAILABLE', reason: undefined, message: NOT_REPORTED };
}

function by(status: FluxSyncStatus, { reason, message }: Condition): FluxSync {
  return { status, reason, message };
}

function suspendedMessage({ suspendedBy, suspendReason }: FluxSuspension): string {
  const who = suspendedBy === undefined ? '' : ` by ${suspendedBy}`;
  return suspendReason === undefined ? `Suspended${who}.` : `Suspended${who}: ${suspendReason}`;
}
