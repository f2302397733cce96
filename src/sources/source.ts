import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Resource } from '../kubernetes/resources.ts';
import type { Credentials } from './credentials.ts';
import type { Sink } from './sink.ts';
import type { UpstreamError } from './upstream-error.ts';

/** One collection in one cluster. `namespace` undefined: all namespaces, or a cluster-scoped resource. */
export interface WatchTarget {
  readonly agentId: string;
  readonly namespace: string | undefined;
  readonly resource: Resource;
}

/** Whose credentials a shared watch may be opened with, at this moment. */
export interface Donors {
  /** The one to use now; the same one for as long as possible. */
  current(): Donor | undefined;
  /** GitLab or the cluster has refused this one: it is not offered again. */
  refused(donor: Donor, error: UpstreamError): void;
}

export interface Donor {
  readonly credentials: Credentials;
  /** The watch that these credentials were lent to was refused. */
  refused(error: UpstreamError): void;
}

/** A reflector at work. */
export interface Reflection {
  /** Try again now instead of at the end of the wait, if it is waiting. */
  retryNow(): void;
  /** The donors have changed: open the stream anew with the current one, then close the old one. */
  renew(): void;
  /** Ends it and everything it holds upstream. The sink is not called again. */
  stop(): void;
}

export interface CreatedReview {
  readonly allowed: boolean;
}

/** Where cluster state comes from. */
export interface Source {
  /** Keeps `sink` equal to the collection until stopped. Throws LIMIT_EXCEEDED when the agent's budget is used up. */
  reflect(target: WatchTarget, donors: Donors, sink: Sink): Reflection;
  /** Calls made for one viewer with their own credentials. */
  caller(agentId: string, credentials: Credentials): Caller;
  close(): Promise<void>;
}

/** Single requests to a cluster on behalf of one viewer. All of them reject with an UpstreamError. */
export interface Caller {
  get(target: WatchTarget, name: string): Promise<KubernetesObject>;
  /** Resolves with the object as it was when its deletion was accepted. */
  delete(target: WatchTarget, name: string, options: { readonly uid?: string | undefined }): Promise<DeletedObject>;
  /** SelfSubjectAccessReview: may these credentials do this? */
  review(attributes: AccessAttributes): Promise<CreatedReview>;
  /** May these credentials list this? Found out by listing one object, which is thrown away. */
  mayList(attributes: AccessAttributes): Promise<boolean>;
  /** SelfSubjectReview: who does the cluster say this is? */
  whoAmI(): Promise<Identity>;
}

export interface DeletedObject {
  readonly uid: string;
  readonly name: string;
}

/** What an access review asks about, in its own terms. */
export interface AccessAttributes {
  readonly verb: string;
  readonly group: string;
  /** The collection's plural name. */
  readonly resource: string;
  /** Undefined: all namespaces, or cluster-scoped. */
  readonly namespace: string | undefined;
  /** The resource's version, where it is known; a review does not ask for it, but trying to list does. */
  readonly version?: string | undefined;
  readonly subresource?: string | undefined;
  readonly name?: string | undefined;
}

/** Who the cluster takes a viewer for. */
export interface Identity {
  readonly username: string;
  readonly groups: readonly string[];
}
