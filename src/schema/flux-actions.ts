import type { ActionTarget } from '../access/actions.ts';
import { FluxActions, type FluxActed } from '../access/flux-actions.ts';
import { badInput } from '../errors.ts';
import { fluxActionProgress, type FluxActionState, type FluxVerb } from '../kubernetes/flux-action.ts';
import { fluxSource } from '../kubernetes/flux-references.ts';
import { checkName, checkNamespace } from '../kubernetes/names.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { decodeActionId, encodeActionId, type FluxActionId } from './flux-action-id.ts';
import { followFluxAction } from './flux-action-stream.ts';
import { FLUX_KINDS, FluxObjectRef, type FluxKind, type FluxObjectRefInput } from './flux-kinds.ts';
import { checkUid } from './object-ref.ts';
import { K8sObject } from './objects.ts';
import { comingFrom } from './origin.ts';
import { agentArgs } from './scope.ts';

const MAX_REASON = 1_000;

export interface FluxActionPayload {
  readonly actionId: string;
  readonly state: FluxActionState;
  readonly requestedAt: string;
  readonly message: string | undefined;
  readonly object: KubernetesObject | undefined;
}

const FluxActionStateEnum = builder.enumType('FluxActionState', {
  description: 'How far an action has come.',
  values: {
    REQUESTED: { description: 'The cluster has accepted the request; its controller has not looked at it yet.' },
    HANDLED: { description: 'The controller has taken it up (status.lastHandledReconcileAt), and is at it.' },
    SUCCEEDED: { description: 'It is done: the object is as it was asked for.' },
    FAILED: { description: 'It was tried and failed, or cannot happen any more: `message` says why.' },
  },
});

const FluxActionPayloadType = builder.objectRef<FluxActionPayload>('FluxActionPayload').implement({
  description: 'An action on an object of Flux, and how far it has come.',
  fields: (t) => ({
    actionId: t.exposeID('actionId', { description: 'To follow it by: see the subscription `fluxAction`.' }),
    state: t.expose('state', { type: FluxActionStateEnum, description: 'How far it has come.' }),
    requestedAt: t.exposeString('requestedAt', {
      description: 'When it was asked for; also the token that Flux echoes when it has handled it.',
    }),
    message: t.exposeString('message', {
      nullable: true,
      description: "The controller's own words, when there are any.",
    }),
    object: t.field({
      type: K8sObject,
      nullable: true,
      description: 'The object as it is. Null when it is gone.',
      resolve: ({ object }) => object,
    }),
  }),
});

export function addFluxActions(): void {
  builder.mutationField('reconcileFluxResource', (t) =>
    t.field({
      type: FluxActionPayloadType,
      description:
        'Asks Flux to look at an object now, as `flux reconcile` does. REFUSED when it is suspended, naming since when, by whom and why.',
      args: {
        ...fluxArgs,
        withSource: t.arg.boolean({
          defaultValue: false,
          description: 'Also its source, and that first: what it applies is then as new as the source.',
        }),
      },
      resolve: async (_root, args, context) => {
        const target = await targetOf(args, context);
        const actions = new FluxActions(context.gate.actions);
        const token = actions.token();
        if (args.withSource === true) await reconcileSource(target, actions, token, context);
        return payload('reconcile', args.target.kind, target, await actions.reconcile(target, token));
      },
    }),
  );

  builder.mutationField('suspendFluxResource', (t) =>
    t.field({
      type: FluxActionPayloadType,
      description:
        'Makes Flux leave an object alone, and writes down who did it and why (annotations kascade.dev/suspended-by and kascade.dev/suspend-reason). REFUSED when it is suspended already.',
      args: {
        ...fluxArgs,
        reason: t.arg.string({ description: `For those who come across it, at most ${MAX_REASON} characters.` }),
      },
      resolve: async (_root, args, context) => {
        const reason = args.reason?.trim() || undefined;
        if (reason !== undefined && reason.length > MAX_REASON) {
          throw badInput('reason', `at most ${MAX_REASON} characters long`);
        }
        const target = await targetOf(args, context);
        const actions = new FluxActions(context.gate.actions);
        return payload('suspend', args.target.kind, target, await actions.suspend(target, reason, actions.token()));
      },
    }),
  );

  builder.mutationField('resumeFluxResource', (t) =>
    t.field({
      type: FluxActionPayloadType,
      description: 'Ends a suspension, and asks Flux to look at the object now. REFUSED when it is not suspended.',
      args: fluxArgs,
      resolve: async (_root, args, context) => {
        const target = await targetOf(args, context);
        const actions = new FluxActions(context.gate.actions);
        return payload('resume', args.target.kind, target, await actions.resume(target, actions.token()));
      },
    }),
  );

  builder.subscriptionField('fluxAction', (t) =>
    t.field({
      type: FluxActionPayloadType,
      description:
        "Follows an action: REQUESTED, HANDLED, then SUCCEEDED or FAILED, and completes. Read from the shared watch, it costs the cluster nothing more. Needs the right to list and watch the object's kind.",
      args: {
        ...agentArgs,
        actionId: t.arg.id({ required: true, description: 'From the payload of the mutation; good on any replica.' }),
      },
      subscribe: (_root, args, context) => {
        return followFluxAction(context, args.agentId, decodeActionId(args.actionId), args.actionId);
      },
      resolve: (progress) => progress,
    }),
  );
}

const fluxArgs = {
  ...agentArgs,
  ...builder.args((t) => ({
    target: t.field({ type: FluxObjectRef, required: true, description: 'Which object.' }),
  })),
};

export async function targetOf(
  args: { agentId: string; target: FluxObjectRefInput },
  context: Context,
): Promise<ActionTarget> {
  const { kind, namespace, name, uid } = args.target;
  const viewer = context.viewer();
  const key = {
    agentId: args.agentId,
    namespace: checkNamespace(namespace, 'target.namespace'),
    resource: FLUX_KINDS[kind],
  };
  const checked = { name: checkName(name, 'target.name'), uid: checkUid(uid, 'target.uid') };
  return { viewer, key: await context.gate.clusters.served(viewer, key), ...checked };
}

/** Does nothing for what is a source itself. Fails as a whole when the source is suspended. */
async function reconcileSource(
  target: ActionTarget,
  actions: FluxActions,
  token: string,
  context: Context,
): Promise<void> {
  const { viewer, key, name } = target;
  const object = await context.gate.actions.look(target, (calls) => calls.getWhole(key, name));
  // read with care
  const source = fluxSource({ metadata: {}, ...object } as unknown as KubernetesObject);
  const resource = Object.values(FLUX_KINDS).find(({ kind }) => kind === source?.kind);
  if (source === undefined || resource === undefined) return;
  const namespace = checkNamespace(source.namespace ?? key.namespace);
  const sourceKey = await context.gate.clusters.served(viewer, { agentId: key.agentId, namespace, resource });
  await actions.reconcile({ viewer, key: sourceKey, name: checkName(source.name) }, token);
}

function payload(
  verb: FluxVerb,
  kind: FluxKind,
  target: ActionTarget,
  { object, token }: FluxActed,
): FluxActionPayload {
  const { agentId, namespace = '' } = target.key;
  comingFrom({ agentId, namespace }, [object]);
  const { uid, generation } = object.metadata;
  const id: FluxActionId = { verb, kind, namespace, name: target.name, uid, token, generation };
  return { actionId: encodeActionId(id), ...fluxActionProgress(object, id), requestedAt: token, object };
}
