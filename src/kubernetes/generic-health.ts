import { integer, optionalInteger, optionalText, record, records, text, type JsonRecord } from './json.ts';
import type { KubernetesObject } from './object.ts';

export type HealthLevel = 'HEALTHY' | 'PROGRESSING' | 'DEGRADED' | 'SUSPENDED' | 'UNKNOWN';

export interface Health {
  readonly level: HealthLevel;
  /** One word for programs, such as a condition's reason. */
  readonly reason?: string;
  /** For a person. */
  readonly message?: string;
}

/**
 * The health of any kind that keeps to the usual conventions: being deleted, a generation that its controller has not
 * seen, then conditions by type, wherever they stand: Stalled or Failed, Reconciling, Ready. Whatever says nothing of
 * the sort is healthy. Source: kstatus (sigs.k8s.io/cli-utils/pkg/kstatus); unlike there, Ready=False without
 * Reconciling=True counts as DEGRADED, as a person would read it.
 */
export function genericHealth(object: KubernetesObject): Health {
  return deletionHealth(object) ?? generationHealth(object) ?? conditionHealth(object) ?? { level: 'HEALTHY' };
}

/** PROGRESSING for an object that is being deleted; undefined otherwise. */
export function deletionHealth(object: KubernetesObject): Health | undefined {
  const deletionTimestamp = text(object.metadata.deletionTimestamp);
  if (deletionTimestamp === '') return undefined;
  return { level: 'PROGRESSING', reason: 'Terminating', message: `Being deleted, due ${deletionTimestamp}.` };
}

/** PROGRESSING while the status tells of an older spec; undefined otherwise. */
export function generationHealth(object: KubernetesObject): Health | undefined {
  const observed = optionalInteger(record(object.status)['observedGeneration']);
  const generation = integer(object.metadata.generation);
  if (observed === undefined || observed >= generation) return undefined;
  return {
    level: 'PROGRESSING',
    reason: 'GenerationNotObserved',
    message: `Generation ${generation} has not been handled yet; the status is that of ${observed}.`,
  };
}

/** The condition of this type; undefined when there is none. */
export function condition(object: KubernetesObject, type: string): JsonRecord | undefined {
  return records(record(object.status)['conditions']).find((each) => each['type'] === type);
}

/** A level with the reason and the message of a condition, or of anything else that has them. */
export function healthFrom(level: HealthLevel, source: JsonRecord): Health {
  const reason = optionalText(source['reason']);
  const message = optionalText(source['message']);
  return { level, ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) };
}

function conditionHealth(object: KubernetesObject): Health | undefined {
  for (const [type, level] of ABNORMAL_CONDITIONS) {
    const found = condition(object, type);
    if (found?.['status'] === 'True') return healthFrom(level, found);
  }
  const ready = condition(object, 'Ready');
  switch (ready?.['status']) {
    case 'True':
      return healthFrom('HEALTHY', ready);
    case 'False':
      return healthFrom('DEGRADED', ready);
    case 'Unknown':
      return healthFrom('PROGRESSING', ready);
    default:
      return undefined;
  }
}

/** Conditions that are True only when something is out of the ordinary, the worst first. */
const ABNORMAL_CONDITIONS: readonly (readonly [type: string, level: HealthLevel])[] = [
  ['Stalled', 'DEGRADED'],
  ['Failed', 'DEGRADED'],
  ['Reconciling', 'PROGRESSING'],
];
