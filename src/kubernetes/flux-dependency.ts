import { conditionsOf } from './conditions.ts';
import { integer, optionalInteger, record } from './json.ts';
import type { KubernetesObject } from './object.ts';

/**
 * Whether Flux goes on with what depends on this object: its controller has seen the current spec, and says Ready=True.
 * That it is suspended does not matter. Source: checkDependencies in kustomize-controller and helm-controller. (A
 * `readyExpr`, which only a controller can evaluate, is not looked at.)
 */
export function isDependencyReady(object: KubernetesObject): boolean {
  const observed = optionalInteger(record(object.status)['observedGeneration']);
  if (observed === undefined || observed < integer(object.metadata.generation)) return false;
  return conditionsOf(object).some(({ type, status }) => type === 'Ready' && status === 'True');
}
