import { helmHistory } from './helm-release.ts';
import { optionalText, record } from './json.ts';
import type { KubernetesObject } from './object.ts';

/**
 * What Flux's objects have in common: suspension, revisions, the handling of requests. Sources: github.com/fluxcd/pkg
 * apis/meta, and the API types of kustomize-controller, helm-controller and source-controller.
 */

/** Annotation: a token of one's own; when it changes, the controller reconciles. */
export const RECONCILE_REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt';
/** Annotations that Kascade writes when it suspends, and removes when it resumes. */
export const SUSPENDED_BY = 'kascade.dev/suspended-by';
export const SUSPEND_REASON = 'kascade.dev/suspend-reason';
/** The same by Weave GitOps, which Kascade reads (and removes when it resumes). */
export const WEAVE_SUSPENDED_BY = 'metadata.weave.works/suspended-by';
export const WEAVE_SUSPEND_REASON = 'metadata.weave.works/suspended-comment';

export interface FluxSuspension {
  readonly suspended: boolean;
  /** Who did it, as they were known to the tool they used; undefined when not suspended, or nobody wrote it down. */
  readonly suspendedBy: string | undefined;
  readonly suspendReason: string | undefined;
}

export interface FluxRevisions {
  /** Of a Kustomization the revision of its source, of a HelmRelease the version of the chart that is deployed. */
  readonly lastAppliedRevision: string | undefined;
  readonly lastAttemptedRevision: string | undefined;
  /** Of a source: the revision of the artifact it offers. */
  readonly artifactRevision: string | undefined;
  /** The last token in RECONCILE_REQUESTED_AT that the controller has handled. */
  readonly lastHandledReconcileAt: string | undefined;
}

/** Annotations outlive a suspension that is ended by another tool, so they count only while there is one. */
export function fluxSuspension(object: KubernetesObject): FluxSuspension {
  if (record(object.spec)['suspend'] !== true) {
    return { suspended: false, suspendedBy: undefined, suspendReason: undefined };
  }
  const annotation = (name: string) => optionalText(record(object.metadata.annotations)[name]);
  const [by, reason] = [annotation(SUSPENDED_BY), annotation(SUSPEND_REASON)];
  if (by !== undefined || reason !== undefined) return { suspended: true, suspendedBy: by, suspendReason: reason };
  return {
    suspended: true,
    suspendedBy: annotation(WEAVE_SUSPENDED_BY),
    suspendReason: annotation(WEAVE_SUSPEND_REASON),
  };
}

export function fluxRevisions(object: KubernetesObject): FluxRevisions {
  const status = record(object.status);
  const deployed = helmHistory(object).find((each) => each.status === 'deployed');
  return {
    lastAppliedRevision: optionalText(status['lastAppliedRevision']) ?? (deployed?.version || undefined),
    lastAttemptedRevision: optionalText(status['lastAttemptedRevision']),
    artifactRevision: optionalText(record(status['artifact'])['revision']),
    lastHandledReconcileAt: optionalText(status['lastHandledReconcileAt']),
  };
}
