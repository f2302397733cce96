import {
  FLUX_BUCKETS,
  FLUX_GIT_REPOSITORIES,
  FLUX_HELM_CHARTS,
  FLUX_HELM_RELEASES,
  FLUX_HELM_REPOSITORIES,
  FLUX_KUSTOMIZATIONS,
  FLUX_OCI_REPOSITORIES,
  type Resource,
} from '../kubernetes/resources.ts';
import { builder } from './builder.ts';

/** Flux's kinds by their names in the public contract. The cluster says in which version it serves them. */
export const FLUX_KINDS = {
  KUSTOMIZATION: FLUX_KUSTOMIZATIONS,
  HELM_RELEASE: FLUX_HELM_RELEASES,
  GIT_REPOSITORY: FLUX_GIT_REPOSITORIES,
  OCI_REPOSITORY: FLUX_OCI_REPOSITORIES,
  HELM_REPOSITORY: FLUX_HELM_REPOSITORIES,
  HELM_CHART: FLUX_HELM_CHARTS,
  BUCKET: FLUX_BUCKETS,
} as const satisfies Record<string, Resource>;

export type FluxKind = keyof typeof FLUX_KINDS;

export function isFluxKind(value: unknown): value is FluxKind {
  return typeof value === 'string' && Object.hasOwn(FLUX_KINDS, value);
}

export const FluxKindEnum = builder.enumType('FluxKind', {
  description: 'A kind of object that Flux looks after.',
  values: {
    KUSTOMIZATION: { description: 'Applies manifests.' },
    HELM_RELEASE: { description: 'Installs a chart.' },
    GIT_REPOSITORY: { description: 'A source: a Git repository.' },
    OCI_REPOSITORY: { description: 'A source: an artifact in an OCI registry.' },
    HELM_REPOSITORY: { description: 'A source of charts.' },
    HELM_CHART: { description: 'A chart fetched from a source.' },
    BUCKET: { description: 'A source: an object store.' },
  },
});

export const FluxObjectRef = builder.inputType('FluxObjectRef', {
  description: 'An object that Flux looks after, by name.',
  fields: (t) => ({
    kind: t.field({ type: FluxKindEnum, required: true, description: 'Its kind.' }),
    namespace: t.string({ required: true, description: 'Its namespace.' }),
    name: t.string({ required: true, description: 'Its name.' }),
    uid: t.id({ description: 'Only if the object of this name has this id. Omitted or null: whichever has the name.' }),
  }),
});

export type FluxObjectRefInput = typeof FluxObjectRef.$inferInput;
