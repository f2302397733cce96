import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { compareResourceVersions } from '../../src/kubernetes/resource-version.ts';
import type { ObjectFilter, Update } from '../../src/pubsub/updates.ts';
import { stateOf } from './cluster/cluster.ts';
import type { Oracle } from './oracle.ts';
import type { Replica } from './replica.ts';

/** What one subscriber knows, having applied messages as the contract says; and whether they kept the rules. */
export class Witness {
  readonly objects = new Map<string, KubernetesObject>();
  /** The newest version seen of each, and what was seen to go, since everything began anew. */
  readonly #versions = new Map<string, string>();
  readonly #removed = new Set<string>();
  readonly #name: string;
  readonly #filter: ObjectFilter | undefined;
  readonly #oracle: Oracle;
  #cursor: string | undefined;
  #isFirst = true;

  constructor(name: string, filter: ObjectFilter | undefined, oracle: Oracle) {
    this.#name = name;
    this.#filter = filter;
    this.#oracle = oracle;
  }

  get cursor(): string | undefined {
    return this.#cursor;
  }

  get states(): string {
    return canonical(this.objects.values());
  }

  /** Subscribes: with this cursor, if there is one. */
  begin(): string | undefined {
    this.#isFirst = true;
    return this.#cursor;
  }

  forget(): void {
    this.#cursor = undefined;
    this.objects.clear();
    this.#versions.clear();
    this.#removed.clear();
  }

  apply(update: Update, on: Replica): void {
    const { type, upserted, removed, cursor, resyncReason, total } = update;
    const wasFirst = this.#isFirst;
    this.#isFirst = false;
    if (type === 'SNAPSHOT') this.#begins(resyncReason, wasFirst);
    else {
      if (this.#cursor === undefined) this.#breach('D5', 'changes came before a snapshot', on);
      if (wasFirst) this.#oracle.note('resumed: with changes');
    }
    for (const uid of removed) this.#remove(uid);
    for (const object of upserted) this.#upsert(object, on);
    this.#cursor = cursor;
    // Of somebody who resumes under a filter it is not known what they were shown; the number is theirs all the same.
    if (total !== this.objects.size) this.#breach('D5', `total ${total}, but ${this.objects.size} are held`, on);
    this.#oracle.saw(cursor, this.#filter?.key, () => this.states, `${this.#name} on ${on.name}`);
    this.#oracle.mustBeAllowed(this.#name, on);
  }

  #begins(reason: Update['resyncReason'], wasFirst: boolean): void {
    if (reason !== undefined) this.#oracle.note(`snapshot: ${reason}`);
    this.objects.clear();
    // Another log, which has nothing to do with what was known before.
    if (reason === 'UPSTREAM_RESET' || reason === 'CURSOR_INVALID' || (wasFirst && reason === undefined)) {
      this.#versions.clear();
      this.#removed.clear();
    }
  }

  #remove(uid: string): void {
    // Under a filter, what is removed from the view may come back.
    if (this.objects.delete(uid) && this.#filter === undefined) this.#removed.add(uid);
  }

  #upsert(object: KubernetesObject, on: Replica): void {
    const { uid, resourceVersion } = object.metadata;
    const known = this.#versions.get(uid);
    if (known !== undefined && compareResourceVersions(resourceVersion, known) === -1) {
      this.#breach('D2', `${uid} went back from ${known} to ${resourceVersion}`, on);
    }
    if (this.#removed.has(uid)) this.#breach('D3', `${uid}@${resourceVersion} came back after its removal`, on);
    this.#oracle.mustHaveExisted(stateOf(object), this.#name, on);
    this.#versions.set(uid, resourceVersion);
    this.objects.set(uid, object);
  }

  #breach(rule: string, what: string, on: Replica): void {
    this.#oracle.violated(rule, `${this.#name} on ${on.name}: ${what}`);
  }
}

export function canonical(objects: Iterable<KubernetesObject>): string {
  return Array.from(objects, stateOf).toSorted().join(' ');
}
