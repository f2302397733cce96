import type { KubernetesObject } from '../kubernetes/object.ts';
import { FLUX_KUSTOMIZATIONS } from '../kubernetes/resources.ts';
import { optionalText, record } from '../kubernetes/json.ts';
import { builder } from './builder.ts';
import { addCollection } from './collection.ts';
import { addInventory } from './flux-inventory.ts';
import { BY_SYNC, FluxApplier, FluxObject } from './flux-object.ts';
import { addReferences } from './flux-references.ts';
import type { Kind } from './kind.ts';
import { addObjectSubscription } from './object-subscription.ts';
import { K8sObject } from './objects.ts';

const FluxKustomization = builder.objectRef<KubernetesObject>('FluxKustomization');
FluxKustomization.implement({
  description: 'A Kustomization of Flux: manifests from a source, built and applied.',
  interfaces: [K8sObject, FluxObject, FluxApplier],
  fields: (t) => ({
    path: t.string({
      nullable: true,
      description: 'The folder of the source that is applied (spec.path). Null: its root.',
      resolve: (object) => optionalText(record(object.spec)['path']),
    }),
    targetNamespace: t.string({
      nullable: true,
      description: 'The namespace that everything is put into (spec.targetNamespace). Null: what the manifests say.',
      resolve: (object) => optionalText(record(object.spec)['targetNamespace']),
    }),
  }),
});

const KUSTOMIZATIONS_KIND: Kind = {
  resource: FLUX_KUSTOMIZATIONS,
  typeName: 'FluxKustomization',
  one: 'fluxKustomization',
  noun: { one: 'Kustomization', many: 'Kustomizations' },
  status: BY_SYNC,
  isOptional: true,
};

export function addFluxKustomizations(): void {
  addReferences(FluxKustomization);
  addInventory(FluxKustomization);
  addCollection(KUSTOMIZATIONS_KIND, FluxKustomization);
  addObjectSubscription(KUSTOMIZATIONS_KIND, FluxKustomization);
}
