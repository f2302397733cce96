import { ApiError } from '../errors.ts';
import { checkName, checkNamespace } from '../kubernetes/names.ts';
import type { FluxVerb } from '../kubernetes/flux-action.ts';
import { FLUX_KINDS, isFluxKind, type FluxKind } from './flux-kinds.ts';

/** What a client follows an action by. It holds all there is to know of it, so any replica can serve it. */
export interface FluxActionId {
  readonly verb: FluxVerb;
  readonly kind: FluxKind;
  readonly namespace: string;
  readonly name: string;
  /** The object's, so that another one of its name is not taken for it. */
  readonly uid: string;
  readonly token: string;
  /** The object's with the action in it: the shared feed may be behind. Undefined in ids of the first form. */
  readonly generation?: number | undefined;
}

const VERBS: ReadonlySet<unknown> = new Set<FluxVerb>(['reconcile', 'suspend', 'resume']);
const TOKEN = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const UID = /^[\w.:-]{1,128}$/;

export function encodeActionId({ verb, kind, namespace, name, uid, token, generation }: FluxActionId): string {
  const parts = [verb, kind, namespace, name, uid, token, ...(generation === undefined ? [] : [generation])];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** Throws BAD_USER_INPUT for what is none of ours. It carries no authority: whoever brings it is checked like anyone. */
export function decodeActionId(id: string): FluxActionId {
  const [verb, kind, namespace, name, uid, token, generation, ...rest] = parse(id);
  const isWhole = rest.length === 0 && VERBS.has(verb) && isFluxKind(kind);
  if (!isWhole || !matches(token, TOKEN) || !matches(uid, UID) || !isGeneration(generation)) throw invalid();
  try {
    const checked = { namespace: checkNamespace(namespace), name: checkName(name) };
    return { verb: verb as FluxVerb, kind, ...checked, uid, token, generation }; // looked up just above
  } catch {
    throw invalid();
  }
}

function parse(id: string): unknown[] {
  if (id.length > 1_000) throw invalid();
  try {
    const value: unknown = JSON.parse(Buffer.from(id, 'base64url').toString());
    if (Array.isArray(value)) return value;
  } catch {
    // said below
  }
  throw invalid();
}

function matches(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function isGeneration(value: unknown): value is number | undefined {
  return value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0);
}

function invalid(): ApiError {
  return new ApiError('BAD_USER_INPUT', 'actionId must be the actionId of an action on a Flux object.', {
    remedy: `Take it from the payload of reconcileFluxResource, suspendFluxResource or resumeFluxResource (${Object.keys(FLUX_KINDS).join(', ')}).`,
  });
}
