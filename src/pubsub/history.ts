import { randomBytes } from 'node:crypto';
import type { Delta, ObjectLog } from './object-log.ts';

/** How far a reader is: which log, and how many of its changes. */
export interface Revision {
  readonly epoch: string;
  readonly offset: number;
}

/**
 * The epochs that a log goes on from, and up to which offset it has each of them: of a revision (epoch, offset) with
 * an offset no greater than that, this log knows what has come since.
 */
export type Lineage = ReadonlyMap<string, number>;

/** A log under its name. */
export interface Chronicle {
  readonly log: ObjectLog;
  readonly epoch: string;
  readonly lineage: Lineage;
}

/** Epochs further back are forgotten: cursors of that age ask for more than is remembered anyway. */
const MAX_ANCESTORS = 16;

/**
 * The log of a feed through all its changes of hands.
 *
 * An epoch has one writer, ever. Whoever goes on from where another has left off does so under a new epoch that
 * descends from the other's up to that offset. So two who both thought they were to go on never give one revision two
 * meanings, and a revision that only one of them knows is recognised as such by the other.
 */
export class History {
  #now: Chronicle;
  /** What was here before another line took its place; its readers are told the difference. */
  #former: Chronicle | undefined;

  constructor(log: ObjectLog) {
    this.#now = { log, epoch: newEpoch(), lineage: new Map() };
  }

  get log(): ObjectLog {
    return this.#now.log;
  }

  get now(): Chronicle {
    return this.#now;
  }

  get lineage(): Lineage {
    return this.#now.lineage;
  }

  get revision(): Revision {
    return { epoch: this.#now.epoch, offset: this.#now.log.offset };
  }

  /** Whether this log has been there. What has changed since may be forgotten for all that. */
  knows(revision: Revision): boolean {
    return isOnLine(revision, this.#now) || (this.#former !== undefined && isOnLine(revision, this.#former));
  }

  /** Whether this log is further on the line of that revision, or just there. */
  descendsFrom(revision: Revision): boolean {
    return isOnLine(revision, this.#now);
  }

  /** The net change since a revision, or undefined when that is no longer known, or never was. */
  since(revision: Revision): Delta | undefined {
    if (isOnLine(revision, this.#now)) return this.#now.log.since(revision.offset);
    const former = this.#former;
    return former !== undefined && isOnLine(revision, former)
      ? bridge(former.log, revision.offset, this.log)
      : undefined;
  }

  /** Goes on under a new name: whoever wrote the old one may not write on. Returns it. */
  fork(): string {
    const { log, epoch, lineage } = this.#now;
    const ancestors = [...lineage, [epoch, log.offset] as const].slice(-MAX_ANCESTORS);
    this.#now = { log, epoch: newEpoch(), lineage: new Map(ancestors) };
    return this.#now.epoch;
  }

  /** Starts over with a log that nothing known before is a basis for. */
  startOver(log: ObjectLog): void {
    this.#now = { log, epoch: newEpoch(), lineage: new Map() };
    this.#former = undefined;
  }

  /** The same log under the name that its writer has given it. */
  rename(epoch: string, lineage: Lineage): void {
    this.#now = { log: this.log, epoch, lineage };
  }

  /**
   * Puts another log in place of this one. If it is no continuation, readers of this one are told the difference, with
   * `bridged`, as long as this one is kept for it: it is what is returned.
   */
  adopt(chronicle: Chronicle, bridged: boolean): Chronicle | undefined {
    this.#former = bridged && !isOnLine(this.revision, chronicle) ? this.#now : undefined;
    this.#now = chronicle;
    return this.#former;
  }

  /** Readers of a log that was left have had time to cross over. */
  forget(former: Chronicle): void {
    if (this.#former === former) this.#former = undefined;
  }
}

export function newEpoch(): string {
  return randomBytes(9).toString('base64url');
}

function isOnLine({ epoch, offset }: Revision, chronicle: Chronicle): boolean {
  const until = epoch === chronicle.epoch ? chronicle.log.offset : chronicle.lineage.get(epoch);
  return until !== undefined && offset <= until;
}

/** What takes a reader from an offset of one log to the end of another that is no continuation of it. */
function bridge(from: ObjectLog, offset: number, to: ObjectLog): Delta | undefined {
  const missed = from.since(offset);
  if (missed === undefined) return undefined;
  const touched = new Set(missed.upserted.map(({ metadata }) => metadata.uid));
  const differs = (uid: string, resourceVersion: string) =>
    touched.has(uid) || from.get(uid)?.metadata.resourceVersion !== resourceVersion;
  const upserted = [...to.objects()].filter(({ metadata }) => differs(metadata.uid, metadata.resourceVersion));
  const isGone = (uid: string) => to.get(uid) === undefined;
  const vanished = [...from.objects()].map(({ metadata }) => metadata.uid).filter(isGone);
  return { upserted, removed: [...missed.removed.filter(isGone), ...vanished] };
}
