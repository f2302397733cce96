import { ClientView } from './client-view.ts';
import type { Write } from './cluster-history.ts';
import { dishonesty, type Honesty } from './honesty.ts';
import { digestOf, PastStates } from './past-states.ts';
import type { Recording, SeenPod, Subscribed, Update } from './recording.ts';

/**
 * D1  Convergence: once it is quiet, the client shows exactly what the cluster holds.
 * D2  Order: no pod's version goes back, and no view goes back to an older state of the cluster.
 * D3  No resurrection: an id that was removed does not return.
 * D4  No phantom: every version of every pod that is delivered existed, with these contents.
 * D5  No loss: what the client holds is as much as the message says there is.
 * D6  A resume repeats nothing, skips nothing, and never falls back to a snapshot without saying why.
 * D7  Every message leaves the client with a state that the cluster was in as a whole.
 * D8  Empty is data: every subscription gets a first message, also when there is nothing to show.
 * D9  CONNECTED is honest: while it is said, no change stays unseen for longer than a silent upstream takes to notice.
 *
 * D2 and D3 hold across reconnects and across replicas. They begin anew only where the client is told that what it has
 * belongs to another log: a SNAPSHOT with UPSTREAM_RESET (the cluster's own history changed) or CURSOR_INVALID (this
 * replica does not know the log of that cursor, and may be behind the one that wrote it), and when the client itself
 * subscribes without a cursor. HISTORY_EXPIRED and SLOW_CONSUMER are about the same log, further on: nothing may go
 * back there.
 */
export type Invariant = 'D1' | 'D2' | 'D3' | 'D4' | 'D5' | 'D6' | 'D7' | 'D8' | 'D9';

export interface Violation {
  readonly invariant: Invariant;
  readonly client: string;
  /** Index into the recording's entries; its length: seen at the end. */
  readonly entry: number;
  readonly text: string;
}

export interface CheckOptions {
  /** Whether the recording ends after the cluster was quiet and the faults were over: then it must have converged. */
  readonly converged: boolean;
  readonly honesty?: Honesty;
}

/** Everything that a recording breaks, in the order in which it happened. */
export function violations(recording: Recording, history: readonly Write[], options: CheckOptions): Violation[] {
  return new Check(recording, new PastStates(history)).run(options);
}

/** One line that says what happened, to whom, when. */
export function explain({ invariant, client, entry, text }: Violation, recording: Recording): string {
  const at = recording.entries[entry]?.at;
  const where = at === undefined ? 'at the end' : `entry ${entry}, at ${Math.round(at)} ms`;
  return `${invariant}: ${client}, ${where}: ${text}`;
}

class Check {
  readonly #recording: Recording;
  readonly #states: PastStates;
  readonly #found: Violation[] = [];
  readonly #view = new ClientView();
  readonly #removed = new Set<string>();
  readonly #reached: { readonly at: number; readonly write: number }[] = [];
  #entry = 0;
  /** The view is at least this many writes old. */
  #atLeast = 0;
  #session: Subscribed | undefined;
  #isFirst = false;

  constructor(recording: Recording, states: PastStates) {
    this.#recording = recording;
    this.#states = states;
  }

  run({ converged, honesty }: CheckOptions): Violation[] {
    for (const [index, entry] of this.#recording.entries.entries()) {
      this.#entry = index;
      if (entry.kind === 'subscribed') {
        this.#session = entry;
        this.#isFirst = true;
      } else if (entry.kind === 'ended') this.#session = undefined;
      else if (entry.kind === 'update') this.#update(entry);
    }
    this.#entry = this.#recording.entries.length;
    if (converged) this.#checkEnd();
    for (const { entry, text } of dishonesty(this.#recording, this.#states, this.#reached, honesty)) {
      this.#found.push({ invariant: 'D9', client: this.#recording.client, entry, text });
    }
    return this.#found.toSorted((a, b) => a.entry - b.entry);
  }

  #update(update: Update): void {
    const isAnswer = this.#isFirst;
    this.#isFirst = false;
    this.#checkReason(update, isAnswer);
    if (beginsAnew(update)) {
      this.#removed.clear();
      this.#view.pods.clear();
      this.#atLeast = 0;
    }
    for (const pod of update.upserted) this.#checkPod(pod, update.type === 'CHANGES' && isAnswer);
    this.#checkRemovals(update);
    this.#view.apply(update);
    if (update.total !== this.#view.pods.size) {
      this.#add('D5', `the message says there are ${update.total}, and the client holds ${this.#view.pods.size}`);
    }
    this.#checkState(update, isAnswer);
  }

  #checkReason({ type, resyncReason }: Update, isAnswer: boolean): void {
    const resumes = isAnswer && this.#session?.resume !== undefined;
    if (type === 'SNAPSHOT' && resyncReason === null && resumes)
      this.#add('D6', 'a cursor is answered by a snapshot that gives no reason');
    if (type === 'SNAPSHOT' && resyncReason === null && !isAnswer)
      this.#add('D7', 'a snapshot in the middle of a stream gives no reason');
    if (type === 'CHANGES' && isAnswer && !resumes) this.#add('D7', 'a subscription begins with changes to nothing');
  }

  #checkPod(pod: SeenPod, answersCursor: boolean): void {
    const { uid, name, resourceVersion } = pod;
    const real = this.#states.version(pod);
    if (real === undefined) this.#add('D4', `${name} (${uid}) never was at version ${resourceVersion}`);
    else if (JSON.stringify(real) !== JSON.stringify(pod)) {
      this.#add('D4', `${name} was ${JSON.stringify(real)} at that version, not ${JSON.stringify(pod)}`);
    }
    const held = this.#view.pods.get(uid);
    if (held !== undefined && BigInt(held.resourceVersion) > BigInt(resourceVersion)) {
      this.#add('D2', `${name} (${uid}) went back from version ${held.resourceVersion} to ${resourceVersion}`);
    }
    if (answersCursor && held?.resourceVersion === resourceVersion) {
      this.#add('D6', `the resume repeats ${name} at version ${resourceVersion}`);
    }
    if (this.#removed.has(uid)) this.#add('D3', `${name} (${uid}) came back after its removal`);
  }

  #checkRemovals({ type, removed, upserted }: Update): void {
    for (const uid of removed) this.#removed.add(uid);
    if (type === 'CHANGES') return;
    const present = new Set(upserted.map(({ uid }) => uid));
    for (const uid of this.#view.pods.keys()) if (!present.has(uid)) this.#removed.add(uid);
  }

  #checkState({ at, replica }: Update, isAnswer: boolean): void {
    let digest = 0n;
    for (const pod of this.#view.pods.values()) digest ^= digestOf(pod);
    const writes = this.#states.writesBefore(digest, at);
    const latest = writes.at(-1);
    if (latest === undefined) {
      const resumes = isAnswer && this.#session?.resume !== undefined;
      this.#add(
        resumes ? 'D6' : 'D7',
        `after this message from ${replica} the client holds what the cluster never was as a whole`,
      );
      return;
    }
    const next = writes.find((write) => write >= this.#atLeast);
    if (next === undefined) {
      this.#add(
        'D2',
        `the view went back from the state after write ${this.#atLeast} to the one after write ${latest}`,
      );
    }
    this.#atLeast = next ?? latest;
    this.#reached.push({ at, write: latest });
  }

  #checkEnd(): void {
    if (this.#session !== undefined && this.#isFirst) {
      this.#add('D8', `the subscription at ${this.#session.replica} never got a first message`);
    }
    const { final } = this.#states;
    for (const { uid, name, resourceVersion } of final.values()) {
      const held = this.#view.pods.get(uid);
      if (held === undefined) this.#add('D1', `${name} (${uid}) is missing`);
      else if (held.resourceVersion !== resourceVersion) {
        this.#add('D1', `${name} is shown at version ${held.resourceVersion}, and is at ${resourceVersion}`);
      }
    }
    for (const { uid, name } of this.#view.pods.values()) {
      if (!final.has(uid)) this.#add('D1', `${name} (${uid}) is shown, and is gone`);
    }
  }

  #add(invariant: Invariant, text: string): void {
    this.#found.push({ invariant, client: this.#recording.client, entry: this.#entry, text });
  }
}

function beginsAnew({ type, resyncReason }: Update): boolean {
  return type === 'SNAPSHOT' && resyncReason !== 'HISTORY_EXPIRED' && resyncReason !== 'SLOW_CONSUMER';
}
