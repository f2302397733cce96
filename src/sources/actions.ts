import type { JsonRecord } from '../kubernetes/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { LogHandle, LogListener, LogRequest, LogTarget } from './logs/log-source.ts';
import type { WatchTarget } from './source.ts';

/**
 * What else a viewer asks of a cluster, beside looking at its collections. Everything rejects with an UpstreamError, and
 * nothing is ever tried twice.
 */
export interface ActionCalls {
  /** The object exactly as the cluster has it, managedFields included. Nobody else holds it. */
  getWhole(target: WatchTarget, name: string): Promise<JsonRecord>;
  /** A JSON merge patch. Resolves with the object as it is then. */
  patch(target: WatchTarget, name: string, patch: JsonRecord): Promise<KubernetesObject>;
  /** Through the subresource `scale`: only the number may change, whoever else manages the object. */
  getScale(target: WatchTarget, name: string): Promise<Scale>;
  /** With a resourceVersion only if the object is still at that one. */
  scale(target: WatchTarget, name: string, replicas: number, resourceVersion: string | undefined): Promise<Scale>;
  /** What would come of applying this object (server-side apply), without doing it. */
  applyDryRun(target: WatchTarget, name: string, manifest: JsonRecord): Promise<JsonRecord>;
  /** GET of JSON from a service in the cluster, through the API server. */
  serviceGet(request: ServiceRequest): Promise<unknown>;
  /** A container's log. */
  openLog(target: LogTarget, request: LogRequest, listener: LogListener): LogHandle;
}

export interface Scale {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly replicas: number;
}

export interface ServiceAddress {
  readonly namespace: string;
  readonly name: string;
  /** A number, or the name of one of the service's ports. */
  readonly port: string;
}

export interface ServiceRequest {
  readonly service: ServiceAddress;
  /** Parts of the path on the service; nothing in them is anybody's input. */
  readonly path: readonly string[];
  readonly query: Readonly<Record<string, string | undefined>>;
}
