import { integer, optionalText, record, records, text } from './json.ts';
import type { KubernetesObject } from './object.ts';
import { timestamp } from './timestamp.ts';

/** One Helm release that a HelmRelease has made. */
export interface HelmSnapshot {
  readonly chart: string;
  readonly version: string;
  readonly appVersion: string | undefined;
  /** Helm's: deployed, superseded, failed, uninstalled, pending-upgrade … */
  readonly status: string;
  /** Helm's count of the releases of this name, from 1. */
  readonly revision: number;
  /** RFC 3339: when it was deployed last. */
  readonly deployedAt: string | undefined;
}

/** The chart that a HelmRelease asks for. With a `chartRef` both are undefined: the referenced source decides. */
export interface HelmChartSpec {
  /** A name in a HelmRepository, a path in a GitRepository or a Bucket. */
  readonly chart: string | undefined;
  /** A version or a range; '*' when it says none. */
  readonly version: string | undefined;
}

/** The releases of a HelmRelease, the newest first; [] for any other kind, and before helm.toolkit.fluxcd.io/v2beta2. */
export function helmHistory(release: KubernetesObject): HelmSnapshot[] {
  if (release.kind !== 'HelmRelease') return [];
  return records(record(release.status)['history'])
    .map((each) => ({
      chart: text(each['chartName']),
      version: text(each['chartVersion']),
      appVersion: optionalText(each['appVersion']),
      status: text(each['status']),
      revision: integer(each['version']),
      deployedAt: timestamp(each['lastDeployed']),
    }))
    .toSorted((a, b) => b.revision - a.revision);
}

export function helmChartSpec(release: KubernetesObject): HelmChartSpec {
  const chart = record(record(record(release.spec)['chart'])['spec']);
  const name = optionalText(chart['chart']);
  return { chart: name, version: name === undefined ? undefined : text(chart['version']) || '*' };
}
