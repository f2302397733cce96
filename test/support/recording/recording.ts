/** What one client was told and when, as plain data: it can be kept in a file and checked later. */
export interface Recording {
  readonly client: string;
  readonly entries: Entry[];
}

/** Every `at` is in milliseconds of one monotonic clock, the one that the cluster's history is dated by. */
export type Entry = Subscribed | Update | ConnectionStatus | Ended;

/** A subscription begins, on one of the replicas. */
export interface Subscribed {
  readonly kind: 'subscribed';
  readonly at: number;
  readonly replica: string;
  /** The cursor that it comes back with. */
  readonly resume: string | undefined;
}

export interface Update {
  readonly kind: 'update';
  readonly at: number;
  readonly replica: string;
  readonly type: 'SNAPSHOT' | 'CHANGES';
  readonly cursor: string;
  readonly upserted: readonly SeenPod[];
  readonly removed: readonly string[];
  readonly total: number;
  readonly resyncReason: string | null;
}

/** What `k8sConnection` says of the watch of pods. */
export interface ConnectionStatus {
  readonly kind: 'connection';
  readonly at: number;
  readonly replica: string;
  readonly status: 'CONNECTING' | 'CONNECTED' | 'DISCONNECTED';
  readonly reason: string | null;
  readonly transport: 'WEBSOCKET' | 'HTTP_STREAM' | null;
}

/** The subscription is over, by an error of its own or with its connection. */
export interface Ended {
  readonly kind: 'ended';
  readonly at: number;
  readonly replica: string;
  /** The WebSocket's close code, when it was closed. */
  readonly closeCode: number | undefined;
  /** Codes of GraphQL errors. */
  readonly errors: readonly string[];
}

/** The part of a pod that is compared with the cluster's. */
export interface SeenPod {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly name: string;
  readonly phase: string;
  /** As JSON with sorted keys, to be compared as text. */
  readonly labels: string;
}

export function labelsText(labels: Readonly<Record<string, unknown>> | undefined): string {
  return JSON.stringify(Object.entries(labels ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
