import { condition, deletionHealth, generationHealth, healthFrom, type Health } from './generic-health.ts';
import type { KubernetesObject } from './object.ts';

/** A test that an object fails, with what that says: [fails, one word for programs, a sentence for a person]. */
export type Check = readonly [fails: boolean, reason: string, message: string];

/**
 * What comes before the rules of a kind, as in kstatus: being deleted, a generation that has not been handled, and the
 * two standard conditions wherever something sets them. Undefined when none of that holds.
 */
export function standardHealth(object: KubernetesObject): Health | undefined {
  return deletionHealth(object) ?? generationHealth(object) ?? standardConditions(object);
}

/** PROGRESSING with the first check that fails; undefined when none does. */
export function progressing(checks: readonly Check[]): Health | undefined {
  const failed = checks.find(([fails]) => fails);
  return failed && { level: 'PROGRESSING', reason: failed[1], message: failed[2] };
}

export function healthy(message: string): Health {
  return { level: 'HEALTHY', reason: 'Current', message };
}

function standardConditions(object: KubernetesObject): Health | undefined {
  const stalled = condition(object, 'Stalled');
  if (stalled?.['status'] === 'True') return healthFrom('DEGRADED', stalled);
  const reconciling = condition(object, 'Reconciling');
  return reconciling?.['status'] === 'True' ? healthFrom('PROGRESSING', reconciling) : undefined;
}
