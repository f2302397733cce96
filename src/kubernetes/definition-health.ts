import { condition, healthFrom, type Health } from './generic-health.ts';
import type { KubernetesObject } from './object.ts';
import { healthy, standardHealth } from './standard-health.ts';

/**
 * A CustomResourceDefinition is HEALTHY when established, DEGRADED when its names are taken or it cannot be established.
 * Source: kstatus, with which test/kubectl compares it.
 */
export function definitionHealth(definition: KubernetesObject): Health {
  return standardHealth(definition) ?? established(definition);
}

function established(definition: KubernetesObject): Health {
  const names = condition(definition, 'NamesAccepted');
  if (names?.['status'] === 'False') return healthFrom('DEGRADED', names);
  const found = condition(definition, 'Established');
  if (found?.['status'] === 'True') return healthy('Its resources are served.');
  if (found?.['status'] === 'False' && found['reason'] !== 'Installing') return healthFrom('DEGRADED', found);
  return { level: 'PROGRESSING', reason: 'Installing', message: 'Its resources are not served yet.' };
}
