import type { ApiObject, NewObject } from '../../../demo/apiserver/object.ts';
import type { JsonObject } from '../../../demo/apiserver/json.ts';
import type { BenchOptions } from '../../support/bench.ts';
import type { Trial } from './trial.ts';

/** The API server behind KAS's stand-in: the demo's own, or a real one. */
export interface Upstream {
  readonly name: 'the demo' | 'kube-apiserver';
  /** An empty cluster, with Kascade's core before it. `ada` may do everything. */
  start(options?: BenchOptions): Promise<Trial>;
  /** After the last trial. */
  close(): Promise<void>;
}

/**
 * What a suite may do to a cluster. Resources are named `pods` or `deployments.apps`. Everything is done when its
 * promise resolves: a right that was granted is granted, a server that restarted answers.
 */
export interface TestCluster {
  create(object: NewObject): Promise<ApiObject>;
  /** Many at once, in no order, and without their status. */
  createAll(objects: readonly NewObject[]): Promise<void>;
  /** A JSON merge patch. */
  patch(resource: string, namespace: string, name: string, change: JsonObject): Promise<ApiObject>;
  /** At once, without a grace period. Answers the uid of what is gone. */
  delete(resource: string, namespace: string, name: string): Promise<string>;
  /** What there is in a namespace, from the most recent state: uid → resourceVersion. */
  versions(resource: string, namespace: string): Promise<Record<string, string>>;
  /** As `grant` of the demo: resources `*`, `pods`, `deployments.apps`; the namespace '' for all of them. */
  grant(user: string, namespace: string, verbs: readonly string[], resources: readonly string[]): Promise<void>;
  /** Takes away what was granted. */
  revoke(user: string): Promise<void>;
  /** No watch can go on from a version older than this moment: the server answers 410. Open watches end. */
  forgetHistory(): Promise<void>;
  /** etcd forgets: what is left of a list that was begun answers 410. Open watches go on. */
  compact(): Promise<void>;
  /** Open watches break, requests are refused for a moment; the data stays. */
  restart(): Promise<void>;
  /** Notes the present state; calling what is returned brings it back, resourceVersions included. */
  backUp(): Promise<() => Promise<void>>;
}

export function withoutStatus(object: NewObject): NewObject {
  const { status: _, ...rest } = object;
  return rest;
}
