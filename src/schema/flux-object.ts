import { RECONCILE_REQUESTED_AT } from '../kubernetes/flux.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { builder } from './builder.ts';
import { K8sCondition } from './conditions.ts';
import { conditionsOfObject, fluxRevisionsOf, fluxSuspensionOf, fluxSyncOf } from './derived.ts';
import type { Kind } from './kind.ts';
import { K8sObject } from './objects.ts';

export const FluxSyncStatus = builder.enumType('FluxSyncStatus', {
  description: 'How an object of Flux stands to what it was asked for.',
  values: {
    RECONCILED: { description: 'It is as it should be.' },
    RECONCILING: { description: 'It is on its way there, or waits for what it depends on.' },
    RECONCILING_WITH_BAD_CONFIG: { description: 'It is being tried again after a failure.' },
    STALLED: { description: 'It failed, and is not tried again before something changes.' },
    FAILED: { description: 'The last attempt failed.' },
    SUSPENDED: { description: 'It was suspended: nothing is done, whatever the conditions say.' },
    UNKNOWN: { description: 'Its conditions do not tell.' },
    UNAVAILABLE: { description: 'Its controller has not reported anything.' },
  },
});

export const FluxObject = builder.interfaceRef<KubernetesObject>('FluxObject');
FluxObject.implement({
  description: "What all of Flux's objects have.",
  interfaces: [K8sObject],
  fields: (t) => ({
    syncStatus: t.field({
      type: FluxSyncStatus,
      description: 'How it stands, in one word. SUSPENDED comes first, STALLED before FAILED.',
      resolve: (object) => fluxSyncOf(object).status,
    }),
    syncReason: t.string({
      nullable: true,
      description: 'One word for programs: the reason of the condition that decided. Null when there is none.',
      resolve: (object) => fluxSyncOf(object).reason,
    }),
    syncMessage: t.string({
      nullable: true,
      description: "For people: that condition's message. Null when there is none.",
      resolve: (object) => fluxSyncOf(object).message,
    }),
    conditions: t.field({
      type: [K8sCondition],
      description: 'status.conditions, in their order; look for the type, never for the place.',
      resolve: conditionsOfObject,
    }),
    suspended: t.boolean({
      description: 'Whether it was suspended (spec.suspend).',
      resolve: (object) => fluxSuspensionOf(object).suspended,
    }),
    suspendedBy: t.string({
      nullable: true,
      description: 'Who suspended it. Null when it is not, or when nobody wrote it down.',
      resolve: (object) => fluxSuspensionOf(object).suspendedBy,
    }),
    suspendReason: t.string({
      nullable: true,
      description: 'Why it was suspended. Null when it is not, or when nobody wrote it down.',
      resolve: (object) => fluxSuspensionOf(object).suspendReason,
    }),
    lastHandledReconcileAt: t.string({
      nullable: true,
      description: 'The last request to reconcile that its controller has handled. Null when there was none.',
      resolve: (object) => fluxRevisionsOf(object).lastHandledReconcileAt,
    }),
    reconcileRequestedAt: t.string({
      nullable: true,
      description:
        'The last request to reconcile: while it differs from the one handled, one is due. Null without one.',
      resolve: (object) => object.metadata.annotations?.[RECONCILE_REQUESTED_AT],
    }),
  }),
});

/** What those have that apply something: Kustomizations and HelmReleases. */
export const FluxApplier = builder.interfaceRef<KubernetesObject>('FluxApplier');
FluxApplier.implement({
  description: 'An object of Flux that applies what its source offers.',
  interfaces: [K8sObject, FluxObject],
  fields: (t) => ({
    lastAppliedRevision: t.string({
      nullable: true,
      description:
        'Of a Kustomization the revision of its source, of a HelmRelease the version of its chart, that was applied last. Null before the first.',
      resolve: (object) => fluxRevisionsOf(object).lastAppliedRevision,
    }),
    lastAttemptedRevision: t.string({
      nullable: true,
      description: 'The one that was tried last: while it differs from the applied one, applying it failed.',
      resolve: (object) => fluxRevisionsOf(object).lastAttemptedRevision,
    }),
  }),
});

/** By which Flux's objects are counted, ordered and filtered. */
export const BY_SYNC: Kind['status'] = { name: 'syncStatus', of: (object) => fluxSyncOf(object).status };
