import { fluxActionProgress } from '../kubernetes/flux-action.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { Mapped } from '../pubsub/mapped.ts';
import type { Context } from './context.ts';
import type { FluxActionId } from './flux-action-id.ts';
import type { FluxActionPayload } from './flux-actions.ts';
import { FLUX_KINDS } from './flux-kinds.ts';
import { comingFrom } from './origin.ts';

/** How an action gets on, told at each step of it, from the feed that everybody shares. */
export async function followFluxAction(
  context: Context,
  agentId: string,
  id: FluxActionId,
  actionId: string,
): Promise<AsyncIterableIterator<FluxActionPayload>> {
  const { kind, namespace, name, uid, token } = id;
  const viewer = context.viewer();
  const key = await context.gate.clusters.served(viewer, { agentId, namespace, resource: FLUX_KINDS[kind] });
  const filter = {
    key: `action ${name} ${uid}`,
    matches: (object: KubernetesObject) => object.metadata.name === name && object.metadata.uid === uid,
  };
  const updates = await context.gate.subscribe(viewer, key, { filter });
  let told: string | undefined;
  return new Mapped(updates, (update) => {
    const [object] = update.upserted;
    if (object === undefined && update.type === 'CHANGES' && update.removed.length === 0) return undefined;
    if (object !== undefined) comingFrom({ agentId, namespace }, [object]);
    const progress = fluxActionProgress(object, id);
    if (progress.state === told) return undefined;
    told = progress.state;
    const isLast = progress.state === 'SUCCEEDED' || progress.state === 'FAILED';
    return { value: { actionId, ...progress, requestedAt: token, object }, isLast };
  });
}
