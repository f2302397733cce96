import type { ApiGroup, ApiResource } from '../kubernetes/discovery.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Resource } from '../kubernetes/resources.ts';
import type { Table } from '../kubernetes/table.ts';
import type { ActionCalls } from './actions.ts';
import type { Credentials } from './credentials.ts';
import type { LogFollowing, LogSink, LogTarget } from './logs/log-source.ts';
import type { Sink } from './sink.ts';
import type { UpstreamError } from './upstream-error.ts';

/** One collection in one cluster. `namespace` undefined: all namespaces, or a cluster-scoped resource. */
export interface WatchTarget {
  readonly agentId: string;
  readonly namespace: string | undefined;
  readonly resource: Resource;
  /** Set where clusters answer each user differently: what is opened for one identity serves no other. */
  readonly identity?: string | undefined;
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

/** Where another reflector has left off, for one that goes on from there. */
export interface Beginning {
  /** The sink holds the collection as of this version. */
  readonly resourceVersion: string;
  /** What the sink holds. */
  readonly objects: () => Iterable<KubernetesObject>;
  /** `watch`: what has come since is asked for. `list`: it is too long ago, or not certain, so all is looked at again. */
  readonly by: 'watch' | 'list';
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

/** An agent that a source knows of by itself. */
export interface KnownAgent {
  readonly agentId: string;
  /** The namespace that it is for, if any. */
  readonly namespace: string | undefined;
  /** The one to begin with. */
  readonly isCurrent: boolean;
}

/** Where cluster state comes from. Everything that takes an agent's ID takes one that has passed `checkAgentId`. */
export interface Source {
  /** Rejects with BAD_USER_INPUT for what is no ID of an agent, with NOT_FOUND for agents that it knows there are not. */
  checkAgentId(agentId: string): Promise<void>;
  /** Keeps `sink` equal to the collection until stopped. Throws LIMIT_EXCEEDED when the agent's budget is used up. */
  reflect(target: WatchTarget, donors: Donors, sink: Sink, from?: Beginning): Reflection;
  /** Follows a container's log until stopped, from so many lines back. Throws LIMIT_EXCEEDED like `reflect`. */
  followLog(target: LogTarget, tailLines: number, donors: Donors, sink: LogSink): LogFollowing;
  /** Calls made for one viewer with their own credentials. */
  caller(agentId: string, credentials: Credentials): Caller;
  /** The agents that there are, where the source knows all of them. */
  agents?(): Promise<readonly KnownAgent[]>;
  /** Upstream streams of an agent. Not there where nothing limits them. */
  streamUsage?(agentId: string): StreamUsage;
  close(): Promise<void>;
}

export interface StreamUsage {
  readonly used: number;
  readonly budget: number;
}

/** Single requests to a cluster on behalf of one viewer. All of them reject with an UpstreamError. */
export interface Caller {
  /** Changes, previews, logs, services. */
  readonly actions: ActionCalls;
  get(target: WatchTarget, name: string): Promise<KubernetesObject>;
  /** Resolves with the object as it was when its deletion was accepted. */
  delete(target: WatchTarget, name: string, options: { readonly uid?: string | undefined }): Promise<DeletedObject>;
  /** SelfSubjectAccessReview: may these credentials do this? */
  review(attributes: AccessAttributes): Promise<CreatedReview>;
  /** May these credentials list this? Found out by listing one object, which is thrown away. */
  mayList(attributes: AccessAttributes): Promise<boolean>;
  /** SelfSubjectReview: who does the cluster say this is? */
  whoAmI(): Promise<Identity>;
  /** What the cluster runs; undefined when it does not say. */
  serverVersion(): Promise<string | undefined>;
  /** The groups that the cluster serves, without the core group. */
  apiGroups(): Promise<readonly ApiGroup[]>;
  /** What a version of a group serves. */
  apiResources(group: string, version: string): Promise<readonly ApiResource[]>;
  /** One page of a collection as the cluster would print it. */
  table(target: WatchTarget, options: TableOptions): Promise<Table>;
}

export interface TableOptions {
  /** Whether the objects come along. */
  readonly withObjects: boolean;
  readonly continueToken?: string | undefined;
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
