import { ApiError } from '../errors.ts';
import { record, type JsonRecord } from '../kubernetes/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { checkUid, type Actions, type ActionTarget } from './actions.ts';

/** Annotation of a pod template that `kubectl rollout restart` changes. */
export const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';

export interface Restarted {
  readonly object: KubernetesObject;
  readonly requestedAt: string;
}

export interface Rescaled {
  readonly uid: string;
  readonly replicas: number;
  readonly requestedAt: string;
}

/** Actions on Deployments and their like. None is tried twice: what was not answered may have happened. */
export class WorkloadActions {
  readonly #actions: Actions;

  constructor(actions: Actions) {
    this.#actions = actions;
  }

  /** Replaces its pods in the way it rolls out anything. Throws REFUSED for a Deployment that is paused. */
  restart(target: ActionTarget): Promise<Restarted> {
    const requestedAt = this.#now();
    return this.#actions.act(target, 'restart', async (calls) => {
      const current = await this.#actions.current(target, calls);
      if (record(current['spec'])['paused'] === true) throw paused(target);
      const template = { metadata: { annotations: { [RESTARTED_AT]: requestedAt } } };
      const patch = { metadata: { uid: uidOf(current) }, spec: { template } };
      const patching = calls.patch(target.key, target.name, patch);
      return { object: await this.#actions.needing(target, 'patch', patching), requestedAt };
    });
  }

  /** Through the subresource `scale`. With a uid it is looked at first, and changed only if nobody else did meanwhile. */
  scale(target: ActionTarget, replicas: number): Promise<Rescaled> {
    const { key, name, uid } = target;
    const requestedAt = this.#now();
    const scaleOf = {
      ...target,
      key: { ...key, resource: { ...key.resource, plural: `${key.resource.plural}/scale` } },
    };
    return this.#actions.act(target, 'scale', async (calls) => {
      let resourceVersion: string | undefined;
      if (uid !== undefined) {
        const current = await this.#actions.needing(scaleOf, 'get', calls.getScale(key, name));
        checkUid(target, current.uid);
        ({ resourceVersion } = current);
      }
      const scaling = calls.scale(key, name, replicas, resourceVersion);
      const scaled = await this.#actions.needing(scaleOf, 'patch', scaling);
      return { uid: scaled.uid, replicas: scaled.replicas, requestedAt };
    });
  }

  #now(): string {
    return new Date(this.#actions.clock.now()).toISOString();
  }
}

function uidOf(object: JsonRecord): unknown {
  return record(object['metadata'])['uid'];
}

function paused({ key, name }: ActionTarget): ApiError {
  return new ApiError('REFUSED', `${key.resource.kind} "${name}" is paused: it would not restart anything.`, {
    remedy: 'Resume its rollout first (kubectl rollout resume).',
  });
}
