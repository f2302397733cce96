import { ApiError } from '../errors.ts';
import {
  RECONCILE_REQUESTED_AT,
  SUSPEND_REASON,
  SUSPENDED_BY,
  WEAVE_SUSPENDED_BY,
  WEAVE_SUSPEND_REASON,
  fluxSuspension,
} from '../kubernetes/flux.ts';
import { record, records, text, type JsonRecord } from '../kubernetes/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { ActionCalls } from '../sources/actions.ts';
import { UpstreamError } from '../sources/upstream-error.ts';
import { sleep } from '../clock.ts';
import type { Actions, ActionTarget } from './actions.ts';

/** How often a patch that met a conflict is sent again; it says the same each time, so it cannot act twice. */
const CONFLICT_RETRIES = 4;
const CONFLICT_PAUSE_MS = 50;

export interface FluxActed {
  readonly object: KubernetesObject;
  /** The token that the controller echoes when it has handled the request. */
  readonly token: string;
}

/**
 * Actions on Flux's objects. All are merge patches that carry a token or a state and not a difference, so one that
 * meets a conflict is sent again as it is.
 */
export class FluxActions {
  readonly #actions: Actions;

  constructor(actions: Actions) {
    this.#actions = actions;
  }

  /** A token for a request; all that is asked for together shares one. */
  token(): string {
    return new Date(this.#actions.clock.now()).toISOString();
  }

  /** Asks the controller to reconcile now. Throws REFUSED where it would do nothing. */
  reconcile(target: ActionTarget, token: string): Promise<FluxActed> {
    return this.#actions.act(target, 'reconcile', async (calls) => {
      const current = await this.#actions.current(target, calls);
      refuseSuspended(target, current);
      refuseStatic(target, current);
      return {
        object: await this.#patch(target, calls, current, annotated({ [RECONCILE_REQUESTED_AT]: token })),
        token,
      };
    });
  }

  suspend(target: ActionTarget, reason: string | undefined, token: string): Promise<FluxActed> {
    return this.#actions.act(target, 'suspend', async (calls) => {
      const current = await this.#actions.current(target, calls);
      refuseSuspended(target, current);
      const by = (await this.#actions.userOf(target)) ?? null;
      const patch = annotated({ [SUSPENDED_BY]: by, [SUSPEND_REASON]: reason ?? null });
      return { object: await this.#patch(target, calls, current, { ...patch, spec: { suspend: true } }), token };
    });
  }

  /** Also asks for a reconciliation, so that it can be followed; and removes what says who suspended it and why. */
  resume(target: ActionTarget, token: string): Promise<FluxActed> {
    return this.#actions.act(target, 'resume', async (calls) => {
      const current = await this.#actions.current(target, calls);
      if (record(current['spec'])['suspend'] !== true) {
        throw new ApiError('REFUSED', `${describe(target)} is not suspended.`);
      }
      const patch = annotated({
        [SUSPENDED_BY]: null,
        [SUSPEND_REASON]: null,
        [WEAVE_SUSPENDED_BY]: null,
        [WEAVE_SUSPEND_REASON]: null,
        [RECONCILE_REQUESTED_AT]: token,
      });
      return { object: await this.#patch(target, calls, current, { ...patch, spec: { suspend: false } }), token };
    });
  }

  async #patch(
    target: ActionTarget,
    calls: ActionCalls,
    current: JsonRecord,
    patch: { readonly metadata: JsonRecord; readonly spec?: JsonRecord },
  ): Promise<KubernetesObject> {
    const { key, name } = target;
    const { uid } = record(current['metadata']);
    // With its uid, so that it cannot hit another object that has taken the name meanwhile.
    const whole = { ...patch, metadata: { ...patch.metadata, uid } };
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#actions.needing(target, 'patch', calls.patch(key, name, whole));
      } catch (error) {
        const isConflict = error instanceof UpstreamError && error.failure === 'conflict';
        if (!isConflict || attempt === CONFLICT_RETRIES) throw error;
        await sleep(this.#actions.clock, CONFLICT_PAUSE_MS * 2 ** attempt);
      }
    }
  }
}

function annotated(annotations: JsonRecord): { readonly metadata: JsonRecord } {
  return { metadata: { annotations } };
}

function describe({ key, name }: ActionTarget): string {
  return `${key.resource.kind} "${name}" in namespace "${key.namespace ?? ''}"`;
}

function refuseSuspended(target: ActionTarget, object: JsonRecord): void {
  // read with care below
  const { suspended, suspendedBy, suspendReason } = fluxSuspension(object as unknown as KubernetesObject);
  if (!suspended) return;
  const since = suspendedSince(object);
  const when = since === undefined ? '' : ` since ${since}`;
  const who = suspendedBy === undefined ? '' : ` by ${suspendedBy}`;
  const why = suspendReason === undefined ? '' : `: ${suspendReason}`;
  throw new ApiError('REFUSED', `${describe(target)} is suspended${when}${who}${why}.`, {
    remedy: 'Resume it first (resumeFluxResource).',
  });
}

/** When the field was last written, by whoever owns it. */
function suspendedSince(object: JsonRecord): string | undefined {
  const owner = records(record(object['metadata'])['managedFields']).find((entry) =>
    Object.hasOwn(record(record(entry['fieldsV1'])['f:spec']), 'f:suspend'),
  );
  return text(owner?.['time']) || undefined;
}

/** A HelmRepository of type oci has no controller that would do anything. */
function refuseStatic(target: ActionTarget, object: JsonRecord): void {
  if (object['kind'] !== 'HelmRepository' || record(object['spec'])['type'] !== 'oci') return;
  throw new ApiError('REFUSED', `${describe(target)} is of type oci: there is nothing to reconcile.`, {
    remedy: 'Reconcile the HelmRelease that uses it.',
  });
}
