import { optionalText, record, records, text } from './json.ts';
import type { KubernetesObject } from './object.ts';

/** Another object of Flux, as this one names it; whether it exists, and is of that kind, is not known. */
export interface FluxReference {
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

/**
 * Where a Kustomization, HelmRelease or HelmChart takes what it applies from; undefined for a source, and for one that
 * names none. A HelmRelease has either a `chartRef` (OCIRepository, HelmChart) or a chart with a `sourceRef`
 * (HelmRepository, GitRepository, Bucket). What is in no other namespace is in that of the object.
 */
export function fluxSource(object: KubernetesObject): FluxReference | undefined {
  const spec = record(object.spec);
  switch (object.kind) {
    case 'Kustomization':
    case 'HelmChart':
      return reference(object, spec['sourceRef']);
    case 'HelmRelease':
      return (
        reference(object, spec['chartRef']) ?? reference(object, record(record(spec['chart'])['spec'])['sourceRef'])
      );
    default:
      return undefined;
  }
}

/** The HelmChart that helm-controller made for a HelmRelease with a chart of its own; undefined when there is none. */
export function fluxHelmChart(release: KubernetesObject): FluxReference | undefined {
  const [namespace, name, ...rest] = text(record(release.status)['helmChart']).split('/', 3);
  if (!namespace || !name || rest.length > 0) return undefined;
  return { kind: 'HelmChart', namespace, name };
}

/** What must be ready before this Kustomization or HelmRelease is reconciled: others of its own kind. */
export function fluxDependencies(object: KubernetesObject): FluxReference[] {
  return records(record(object.spec)['dependsOn'])
    .map((each) => reference(object, { ...each, kind: object.kind }))
    .filter((each) => each !== undefined);
}

/** Undefined for one without a kind or a name. */
function reference(object: KubernetesObject, fields: unknown): FluxReference | undefined {
  const { kind, namespace, name } = record(fields);
  if (text(kind) === '' || text(name) === '') return undefined;
  return {
    kind: text(kind),
    namespace: optionalText(namespace) ?? optionalText(object.metadata.namespace),
    name: text(name),
  };
}
