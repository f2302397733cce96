import { helmChartSpec, type HelmChartSpec, type HelmSnapshot } from '../kubernetes/helm-release.ts';
import { fluxHelmChart } from '../kubernetes/flux-references.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { FLUX_HELM_RELEASES } from '../kubernetes/resources.ts';
import { builder } from './builder.ts';
import { addCollection } from './collection.ts';
import { helmHistoryOf } from './derived.ts';
import { addInventory } from './flux-inventory.ts';
import { BY_SYNC, FluxApplier, FluxObject } from './flux-object.ts';
import { addReferences, FluxObjectRefInfo } from './flux-references.ts';
import type { Kind } from './kind.ts';
import { addObjectSubscription } from './object-subscription.ts';
import { K8sObject } from './objects.ts';

const FluxChart = builder.objectRef<HelmChartSpec>('FluxChart').implement({
  description: 'The chart that a HelmRelease asks for.',
  fields: (t) => ({
    name: t.exposeString('chart', {
      nullable: true,
      description: 'A name in a HelmRepository, a path in a GitRepository or Bucket. Null when `source` decides.',
    }),
    version: t.exposeString('version', {
      nullable: true,
      description: 'A version or a range, `*` when none is given. Null when `source` decides.',
    }),
  }),
});

const FluxHelmSnapshot = builder.objectRef<HelmSnapshot>('FluxHelmSnapshot').implement({
  description: 'One release that a HelmRelease has made.',
  fields: (t) => ({
    revision: t.exposeInt('revision', { description: "Helm's count of the releases of this name, from 1." }),
    chart: t.exposeString('chart', { description: 'The name of its chart.' }),
    version: t.exposeString('version', { description: 'The version of its chart.' }),
    appVersion: t.exposeString('appVersion', {
      nullable: true,
      description: 'The version of what the chart installs. Null when the chart does not say.',
    }),
    status: t.exposeString('status', {
      description: "Helm's: deployed, superseded, failed, uninstalled, pending-upgrade …",
    }),
    deployedAt: t.expose('deployedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was deployed last. Null when that is not known.',
    }),
  }),
});

const FluxHelmRelease = builder.objectRef<KubernetesObject>('FluxHelmRelease');
FluxHelmRelease.implement({
  description: 'A HelmRelease of Flux: a chart, installed and kept up to date.',
  interfaces: [K8sObject, FluxObject, FluxApplier],
  fields: (t) => ({
    chart: t.field({ type: FluxChart, description: 'The chart that it asks for.', resolve: helmChartSpec }),
    helmChart: t.field({
      type: FluxObjectRefInfo,
      nullable: true,
      description:
        'The HelmChart that was made for it. Null when there is none: before the first, and with a chartRef.',
      resolve: (object) => {
        const chart = fluxHelmChart(object);
        return chart && { ...chart, from: object };
      },
    }),
    history: t.field({
      type: [FluxHelmSnapshot],
      description: 'The releases that it has made, the newest first; [] before helm.toolkit.fluxcd.io/v2beta2.',
      resolve: helmHistoryOf,
    }),
  }),
});

const HELM_RELEASES_KIND: Kind = {
  resource: FLUX_HELM_RELEASES,
  typeName: 'FluxHelmRelease',
  one: 'fluxHelmRelease',
  noun: { one: 'HelmRelease', many: 'HelmReleases' },
  status: BY_SYNC,
  isOptional: true,
};

export function addFluxHelmReleases(): void {
  addReferences(FluxHelmRelease);
  addInventory(FluxHelmRelease);
  addCollection(HELM_RELEASES_KIND, FluxHelmRelease);
  addObjectSubscription(HELM_RELEASES_KIND, FluxHelmRelease);
}
