import type { Revision, Lineage } from '../history.ts';
import type { LogEntry } from '../object-log.ts';
import type { RelativeStatus } from './relative-status.ts';
import type { WireEntry } from './wire.ts';

/** What is written down of a feed for all replicas: how far its log has come. */
export interface Head extends Revision {
  readonly lineage: Lineage;
  readonly floor: number;
  readonly resourceVersion: string | undefined;
  /** How long ago its leader last gave a sign of life, in milliseconds, by the bus's own clock. */
  readonly ageMs: number;
}

/** A stretch of a feed's log: what takes it from one offset to another. */
export interface Batch {
  readonly type: 'batch';
  readonly fence: number;
  readonly epoch: string;
  readonly lineage: Lineage;
  readonly from: number;
  readonly to: number;
  readonly floor: number;
  /** With the last batch of what there is to tell: the collection's version that the log is at then. */
  readonly resourceVersion: string | undefined;
  /** The log up to here is a collection, and not the beginning of one. */
  readonly complete: boolean;
  /** The cluster's history went backwards: what was known before is no basis for differences. */
  readonly lost: boolean;
  readonly entries: readonly WireEntry[];
}

/** A leader's sign of life. */
export interface Beacon {
  readonly type: 'beacon';
  readonly fence: number;
  readonly leader: string;
  /** As far as it has been published. Undefined before that. */
  readonly head: Revision | undefined;
  readonly resourceVersion: string | undefined;
  /** How long there has been something that could not be published, in milliseconds. */
  readonly unpublishedMs: number;
  readonly status: RelativeStatus;
}

export type Message =
  | Batch
  | Beacon
  /** Somebody leads now. */
  | { readonly type: 'taken'; readonly leader: string; readonly fence: number }
  /** Nobody leads any more. */
  | { readonly type: 'vacant' }
  /** The leader wants to go, and stays until somebody is ready to go on. */
  | { readonly type: 'offer'; readonly leader: string }
  /** This replica has a watch of its own open and can go on at once. */
  | { readonly type: 'ready'; readonly replica: string }
  /** A viewer wants the watch tried again now. */
  | { readonly type: 'retry' };

export interface Position {
  /** Who holds the lease. */
  readonly leader: string | undefined;
  readonly fence: number;
  /** Undefined when no complete collection is written down. */
  readonly head: Head | undefined;
}

export type Acquired =
  | { readonly held: true; readonly fence: number; readonly head: Head | undefined }
  | { readonly held: false; readonly leader: string };

/**
 * `fenced`: somebody else leads. `emptied`: nothing is known of this leadership any more, nor of anybody else's.
 * `elsewhere`: what is written down ends there, or nowhere, and not where the batch begins.
 */
export type Published =
  | { readonly result: 'written' | 'fenced' | 'emptied' }
  | { readonly result: 'elsewhere'; readonly head: Revision | undefined };

/** As with publishing. With `elsewhere` the lease is kept all the same. */
export type Renewed =
  | { readonly result: 'kept' | 'fenced' | 'emptied' }
  | { readonly result: 'elsewhere'; readonly head: Revision | undefined };

/** What is written down of a whole log, in order of offsets, and as far as. */
export interface Recorded {
  readonly head: Head;
  readonly entries: readonly LogEntry[];
}

export interface ChannelListener {
  message(message: Message): void;
  /** Messages may have been missed. */
  interrupted(): void;
}

/** What replicas share of one feed. Everything asynchronous rejects when the bus is away or too slow. */
export interface Channel {
  listen(listener: ChannelListener): Promise<void>;
  leave(): void;
  position(): Promise<Position>;
  /** Takes the lease if nobody else has it, under a fence higher than any before. */
  acquire(): Promise<Acquired>;
  /** Keeps the lease, and gives the sign of life; the log's version is taken over only where its end is the beacon's. */
  renew(fence: number, beacon: Beacon): Promise<Renewed>;
  release(fence: number): Promise<void>;
  /** Gives the lease to another replica. False when it was not held any more. */
  transfer(fence: number, to: string): Promise<boolean>;
  /** Writes a batch where `after` is the end. Undefined: whatever is written counts no more and is replaced. */
  publish(batch: Batch, after: Revision | undefined): Promise<Published>;
  /** Undefined when no complete collection is written down. */
  read(): Promise<Recorded | undefined>;
  /** The batches that lead on from an offset, as far as they are kept, in order. */
  batchesAfter(offset: number): Promise<readonly Batch[]>;
  /** Resolves with how many hear it, this replica among them: at least so many where that is not known. */
  send(message: Message): Promise<number>;
}

/** The means by which replicas know of each other. */
export interface Bus {
  /** This replica's name among all. */
  readonly replica: string;
  readonly isUp: boolean;
  /** How long a lease lasts without being renewed, in milliseconds. */
  readonly leaseMs: number;
  /** Why it is not up. */
  readonly trouble: string | undefined;
  /** Calls `listener` when it goes down or comes up. Returns how to stop it. */
  onTurn(listener: () => void): () => void;
  /** `id`: equal for equal feeds. */
  channel(id: string): Channel;
  close(): Promise<void>;
}
