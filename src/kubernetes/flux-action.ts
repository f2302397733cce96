import { RECONCILE_REQUESTED_AT, fluxRevisions, fluxSuspension } from './flux.ts';
import { fluxSync } from './flux-sync.ts';
import type { KubernetesObject } from './object.ts';

export type FluxActionState = 'REQUESTED' | 'HANDLED' | 'SUCCEEDED' | 'FAILED';
export type FluxVerb = 'reconcile' | 'suspend' | 'resume';

export interface FluxActionProgress {
  readonly state: FluxActionState;
  /** For a person. */
  readonly message: string | undefined;
}

/** A request to Flux. */
export interface FluxRequest {
  readonly verb: FluxVerb;
  /** What the controller echoes when it has handled the request. */
  readonly token: string;
  /** The object's generation with the request in it, when it is known: an older object says nothing of it. */
  readonly generation?: number | undefined;
}

/**
 * How far a request to Flux has come, by what the object says. Its controller echoes the token when it has handled the
 * request; a later token that was handled covers ours. Whether that went well is the verdict on the present generation,
 * and only one that was given after.
 */
export function fluxActionProgress(
  object: KubernetesObject | undefined,
  { verb, token, generation = 0 }: FluxRequest,
): FluxActionProgress {
  if (object === undefined) return { state: 'FAILED', message: 'It was deleted.' };
  if ((object.metadata.generation ?? generation) < generation) return { state: 'REQUESTED', message: undefined };
  const { suspended } = fluxSuspension(object);
  if (verb === 'suspend') return suspended ? succeeded('It is suspended.') : failed('It is not suspended any more.');
  if (!isHandled(object, token)) {
    if (suspended) return failed('It was suspended before the request was handled.');
    return { state: 'REQUESTED', message: undefined };
  }
  const { status, message } = fluxSync(object);
  switch (status) {
    case 'RECONCILED':
      return succeeded(message);
    case 'FAILED':
    case 'STALLED':
      return failed(message);
    case 'SUSPENDED':
      return failed('It was suspended before it was done.');
    default:
      return { state: 'HANDLED', message };
  }
}

function isHandled(object: KubernetesObject, token: string): boolean {
  const { lastHandledReconcileAt: handled } = fluxRevisions(object);
  if (handled === token) return true;
  // Somebody asked again before ours was looked at: theirs has taken its place, and was handled after ours was made.
  const requested = object.metadata.annotations?.[RECONCILE_REQUESTED_AT];
  return requested !== token && handled !== undefined && handled === requested && isLater(handled, token);
}

function isLater(handled: string, token: string): boolean {
  const [a, b] = [Date.parse(handled), Date.parse(token)];
  return !Number.isNaN(a) && !Number.isNaN(b) && a >= b;
}

function succeeded(message: string | undefined): FluxActionProgress {
  return { state: 'SUCCEEDED', message };
}

function failed(message: string | undefined): FluxActionProgress {
  return { state: 'FAILED', message };
}
