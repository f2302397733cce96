import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { ClientView } from './client-view.ts';
import { labelsText, type ConnectionStatus, type Recording, type Update } from './recording.ts';

export interface Address {
  /** How the replica is called in recordings. */
  readonly name: string;
  /** "ws://127.0.0.1:4000/graphql" */
  readonly url: string;
}

export interface RecordingClientOptions {
  readonly name: string;
  readonly token: string;
  readonly namespace: string;
  /** Where replicas are to be found now; the client goes round them, one after each cut. */
  readonly addresses: () => readonly Address[];
  /** In [0, 1); for the pause before it comes back. */
  readonly random: () => number;
  /** Whether it listens to `k8sConnection` as well. */
  readonly followsConnection?: boolean;
}

/** How soon a client comes back, at most: less at first, more with each failure. */
const COME_BACK_MS = 250;
const COME_BACK_MOST_MS = 3_000;
/** A server that does not answer for so long is left for another. */
const PONG_MS = 4_000;

const LIVE_PODS = /* GraphQL */ `
  subscription ($namespace: String!, $resume: String) {
    k8sPods(agentId: "1", namespace: $namespace, resume: $resume) {
      type
      upserted {
        phase
        metadata {
          uid
          name
          resourceVersion
          labels
        }
      }
      removed
      cursor
      total
      resyncReason
    }
  }
`;

const CONNECTION = /* GraphQL */ `
  subscription ($namespace: String!) {
    k8sConnection(agentId: "1", namespace: $namespace) {
      resources {
        resource
        status
        reason
        transport
      }
    }
  }
`;

interface PodsMessage extends Pick<Update, 'type' | 'removed' | 'cursor' | 'total' | 'resyncReason'> {
  readonly upserted: readonly {
    readonly phase: string;
    readonly metadata: {
      readonly uid: string;
      readonly name: string;
      readonly resourceVersion: string;
      readonly labels: Record<string, unknown>;
    };
  }[];
}

interface ConnectionMessage {
  readonly resources: readonly (Pick<ConnectionStatus, 'status' | 'reason' | 'transport'> & {
    readonly resource: string;
  })[];
}

/**
 * A viewer with a graphql-ws client of the usual kind, who writes down everything and, cut off, comes back to the next
 * replica with the last cursor. An error that says trying again is of no use ends it.
 */
export class RecordingClient {
  readonly recording: Recording;
  readonly #options: RecordingClientOptions;
  readonly #view = new ClientView();
  #turn = 0;
  #failures = 0;
  #cursor: string | undefined;
  #client: Client | undefined;
  #comingBack: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: RecordingClientOptions) {
    this.#options = options;
    this.recording = { client: options.name, entries: [] };
    this.#connect();
  }

  get name(): string {
    return this.recording.client;
  }

  /** What it shows now. */
  get pods(): ClientView['pods'] {
    return this.#view.pods;
  }

  get updates(): Update[] {
    return this.recording.entries.filter((entry) => entry.kind === 'update');
  }

  get snapshots(): Update[] {
    return this.updates.filter(({ type }) => type === 'SNAPSHOT');
  }

  /** Codes of errors that have ended subscriptions. */
  get errors(): string[] {
    return this.recording.entries.flatMap((entry) => (entry.kind === 'ended' ? entry.errors : []));
  }

  /** What it was told last of the watch of pods. */
  get connection(): ConnectionStatus | undefined {
    return this.recording.entries.findLast((entry) => entry.kind === 'connection');
  }

  /** Drops the connection without a farewell; it comes back. */
  cut(): void {
    this.#client?.terminate();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#comingBack);
    await this.#client?.dispose();
  }

  #connect(): void {
    const addresses = this.#options.addresses();
    const address = addresses[this.#turn % Math.max(1, addresses.length)];
    this.#turn += 1;
    if (address === undefined) {
      this.#comeBack();
      return;
    }
    const client = createClient({
      url: address.url,
      webSocketImpl: WebSocket,
      connectionParams: { Authorization: `Bearer ${this.#options.token}` },
      connectionAckWaitTimeout: 5_000,
      retryAttempts: 0,
      keepAlive: PONG_MS,
      on: {
        ping: (received) => {
          if (!received) this.#expectPong(client);
        },
        pong: (received) => {
          if (received) clearTimeout(this.#pongDue);
        },
      },
    });
    this.#client = client;
    this.#subscribe(client, address.name);
  }

  #pongDue: NodeJS.Timeout | undefined;

  #expectPong(client: Client): void {
    clearTimeout(this.#pongDue);
    this.#pongDue = setTimeout(() => client.terminate(), PONG_MS);
    this.#pongDue.unref();
  }

  #subscribe(client: Client, replica: string): void {
    const { namespace, followsConnection = false } = this.#options;
    const { entries } = this.recording;
    const resume = this.#cursor;
    entries.push({ kind: 'subscribed', at: performance.now(), replica, resume });
    const end = (error?: unknown) => this.#ended(client, replica, error);
    client.subscribe<{ k8sPods: PodsMessage }>(
      { query: LIVE_PODS, variables: { namespace, ...(resume !== undefined && { resume }) } },
      {
        next: ({ data, errors }) => {
          if (data?.k8sPods) this.#update(data.k8sPods, replica);
          else end(errors);
        },
        error: end,
        complete: () => end(),
      },
    );
    if (!followsConnection) return;
    client.subscribe<{ k8sConnection: ConnectionMessage }>(
      { query: CONNECTION, variables: { namespace } },
      {
        next: ({ data }) => {
          const pods = data?.k8sConnection.resources.find(({ resource }) => resource === 'k8sPods');
          const { status = 'DISCONNECTED', reason = 'IDLE', transport = null } = pods ?? {};
          entries.push({ kind: 'connection', at: performance.now(), replica, status, reason, transport });
        },
        error: () => undefined,
        complete: () => undefined,
      },
    );
  }

  #update({ upserted, ...message }: PodsMessage, replica: string): void {
    this.#failures = 0;
    this.#cursor = message.cursor;
    const pods = upserted.map(({ phase, metadata: { uid, name, resourceVersion, labels } }) => {
      return { uid, resourceVersion, name, phase, labels: labelsText(labels) };
    });
    const update: Update = { kind: 'update', at: performance.now(), replica, ...message, upserted: pods };
    this.#view.apply(update);
    this.recording.entries.push(update);
  }

  #ended(client: Client, replica: string, error: unknown): void {
    if (this.#isClosed || this.#client !== client) return;
    this.#client = undefined;
    clearTimeout(this.#pongDue);
    const { closeCode, errors, isFinal } = readEnd(error);
    this.recording.entries.push({ kind: 'ended', at: performance.now(), replica, closeCode, errors });
    client.terminate();
    if (!isFinal) this.#comeBack();
  }

  /** Full jitter, as everybody else who was cut at this moment. */
  #comeBack(): void {
    const mostMs = Math.min(COME_BACK_MOST_MS, COME_BACK_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#comingBack = setTimeout(() => this.#connect(), mostMs * this.#options.random());
  }
}

function readEnd(error: unknown): { closeCode: number | undefined; errors: string[]; isFinal: boolean } {
  if (Array.isArray(error)) {
    const extensions = error.map((each: { extensions?: Record<string, unknown> }) => each.extensions ?? {});
    const errors = extensions.map(({ code }) => String(code));
    return { closeCode: undefined, errors, isFinal: extensions.some(({ retryable }) => retryable === false) };
  }
  const closeCode = typeof error === 'object' && error !== null && 'code' in error ? Number(error.code) : undefined;
  return { closeCode: Number.isNaN(closeCode) ? undefined : closeCode, errors: [], isFinal: false };
}
