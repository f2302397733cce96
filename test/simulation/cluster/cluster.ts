import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { WatchEvent } from '../../../src/sources/upstream.ts';
import { pod } from '../../support/objects.ts';
import type { Chance } from '../chance.ts';
import type { Timeline } from '../timeline.ts';
import { Front } from './front.ts';

export interface Change {
  readonly revision: number;
  readonly type: Exclude<WatchEvent['type'], 'BOOKMARK'>;
  readonly object: KubernetesObject;
  /** When it was written, by the timeline. */
  readonly at: number;
}

export type Refusal = 'throttled' | 'server' | 'unreachable' | 'agentNotConnected' | 'torn' | 'malformed';

/** How far ahead of its backup a cluster goes on: a rewritten history that overtakes the one before is told by nobody. */
const AHEAD = 1_000_000;
const COLORS = ['red', 'blue'];

/** A cluster with one collection and its whole history, two API servers in front of it, and those who may look. */
export class Cluster {
  /** Every state that any object was ever in. */
  readonly existed = new Set<string>();
  readonly fronts: readonly [Front, Front];
  /** What its servers do when a watch is to begin at a version that they have not reached: refuse, or say nothing. */
  readonly refusesFuture: boolean;
  readonly #timeline: Timeline;
  readonly #chance: Chance;
  readonly #refused = new Set<string>();
  #objects = new Map<string, KubernetesObject>();
  #history: Change[] = [];
  #revision = 100;
  #compactedAt = 100;
  #births = 0;
  #writes = 0;
  #refusals: Refusal[] = [];
  #backup: { readonly revision: number; readonly objects: ReadonlyMap<string, KubernetesObject> } | undefined;
  /** When its history was rewritten. */
  #restoredAt: number | undefined;

  constructor(timeline: Timeline, chance: Chance) {
    this.#timeline = timeline;
    this.#chance = chance;
    this.refusesFuture = chance.isLucky(0.3);
    this.fronts = [new Front(this, timeline, chance.fork()), new Front(this, timeline, chance.fork())];
  }

  get revision(): number {
    return this.#revision;
  }

  get compactedAt(): number {
    return this.#compactedAt;
  }

  get objects(): readonly KubernetesObject[] {
    return [...this.#objects.values()];
  }

  get restoredAt(): number | undefined {
    return this.#restoredAt;
  }

  /** Uid → state of everything that had not changed any more at a moment; null when it was gone. */
  settledBy(moment: number): Map<string, string | null> {
    const latest = new Map<string, Change>();
    for (const change of this.#history) latest.set(change.object.metadata.uid, change);
    const settled = [...latest].filter(([, { at }]) => at <= moment);
    return new Map(settled.map(([uid, { type, object }]) => [uid, type === 'DELETED' ? null : stateOf(object)]));
  }

  // ---- it changes

  create(name: string): void {
    if (this.#objects.has(name)) return;
    this.#births += 1;
    this.#write('ADDED', name, `${name}-${this.#births}`);
  }

  update(name: string): void {
    const object = this.#objects.get(name);
    if (object !== undefined) this.#write('MODIFIED', name, object.metadata.uid);
  }

  delete(name: string): void {
    const object = this.#objects.get(name);
    if (object === undefined) return;
    this.#revision += 1;
    this.#objects.delete(name);
    const { uid, labels = {} } = object.metadata;
    this.#publish('DELETED', pod(name, { uid, resourceVersion: this.#revision, labels }));
  }

  /** Another collection changes: nothing is heard of it here but the revision. */
  elsewhere(): void {
    this.#revision += 1;
    for (const front of this.fronts) front.look();
  }

  // ---- and misbehaves

  /** Forgets its history. */
  compact(): void {
    this.#compactedAt = this.#revision;
  }

  /** Once. */
  backUp(): void {
    if (this.#backup !== undefined) return;
    this.#backup = { revision: this.#revision, objects: new Map(this.#objects) };
    this.#revision += AHEAD;
  }

  /** Goes back to the backup, once. Everything restarts. False when it could not. */
  restore(): boolean {
    if (this.#backup === undefined || this.#restoredAt !== undefined) return false;
    this.#restoredAt = this.#timeline.now;
    this.#revision = this.#backup.revision;
    this.#objects = new Map(this.#backup.objects);
    this.#history = [];
    this.compact();
    for (const front of this.fronts) front.restart(this.#objects.values(), this.#revision);
    return true;
  }

  refuseNext(refusal: Refusal, times: number): void {
    for (let index = 0; index < times; index += 1) this.#refusals.push(refusal);
  }

  refusal(): Refusal | undefined {
    return this.#refusals.shift();
  }

  heal(): void {
    this.#refusals = [];
    for (const front of this.fronts) front.heal();
  }

  // ---- rights

  mayView(token: string): boolean {
    return !this.#refused.has(token);
  }

  revoke(token: string): void {
    this.#refused.add(token);
  }

  grant(token: string): void {
    this.#refused.delete(token);
  }

  /** Changes after a revision, in order. */
  after(revision: number): Change[] {
    return this.#history.filter((change) => change.revision > revision);
  }

  get anyFront(): Front {
    return this.#chance.pick(this.fronts);
  }

  #write(type: 'ADDED' | 'MODIFIED', name: string, uid: string): void {
    this.#revision += 1;
    this.#writes += 1;
    const labels = { color: this.#chance.pick(COLORS), write: String(this.#writes) };
    const object = pod(name, { uid, resourceVersion: this.#revision, labels });
    this.#objects.set(name, object);
    this.existed.add(stateOf(object));
    this.#publish(type, object);
  }

  #publish(type: Change['type'], object: KubernetesObject): void {
    this.#history.push({ type, object, revision: this.#revision, at: this.#timeline.now });
    for (const front of this.fronts) front.look();
  }
}

/** What tells one state of an object from any other, also when its version was given twice. */
export function stateOf({ metadata }: KubernetesObject): string {
  return `${metadata.uid}@${metadata.resourceVersion}#${metadata.labels?.['write'] ?? ''}`;
}
