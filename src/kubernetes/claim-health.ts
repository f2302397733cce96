import type { Health } from './generic-health.ts';
import { record, text } from './json.ts';
import type { KubernetesObject } from './object.ts';
import { healthy, standardHealth } from './standard-health.ts';

/**
 * A PersistentVolumeClaim is HEALTHY when bound, and PROGRESSING until then. Source: kstatus; unlike there, a claim whose
 * volume is gone (Lost) is DEGRADED, because nothing will bring it back.
 */
export function claimHealth(claim: KubernetesObject): Health {
  return standardHealth(claim) ?? phaseHealth(text(record(claim.status)['phase']));
}

function phaseHealth(phase: string): Health {
  if (phase === 'Bound') return healthy('Bound to a volume.');
  if (phase === 'Lost') return { level: 'DEGRADED', reason: 'Lost', message: 'The volume it was bound to is gone.' };
  return { level: 'PROGRESSING', reason: 'NotBound', message: 'Not bound to a volume yet.' };
}
