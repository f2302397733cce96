import { decodeEntry } from '../../src/pubsub/sharing/wire.ts';
import { decodeBatch } from '../../src/pubsub/redis/frames.ts';
import type { Cluster } from './cluster/cluster.ts';
import type { Journal } from './journal.ts';
import type { Ran } from './redis/server.ts';
import type { Replica } from './replica.ts';
import type { Timeline } from './timeline.ts';
import { canonical } from './witness.ts';

/** After a right was lost, in milliseconds, nothing is shown any more: a permission lasts 72 s, a review some. */
const REVOKED_MS = 78_000;
/** How long a process that stood still may take to come to its senses, in milliseconds. */
const THAW_MS = 8_000;

export interface OracleOptions {
  readonly timeline: Timeline;
  readonly cluster: Cluster;
  readonly journal: Journal;
}

/** What must hold of everything that is seen, whoever sees it. */
export class Oracle {
  readonly #options: OracleOptions;
  /** What a revision means: the states of all that is there. The first who sees it says. */
  readonly #meanings = new Map<string, { readonly states: string; readonly who: string }>();
  readonly #revokedAt = new Map<string, number>();
  readonly #thawedAt = new Map<Replica, number>();
  /** Who wrote under a fence. */
  readonly #writers = new Map<string, string>();
  #highest = 0;
  #generation = 0;

  constructor(options: OracleOptions) {
    this.#options = options;
  }

  note(what: string): void {
    this.#options.journal.sometimes.note(what);
  }

  violated(rule: string, message: string): void {
    this.#options.journal.violated(rule, message);
  }

  /** Equal revisions mean equal contents, on all replicas and for ever: what cursors stand on. */
  saw(cursor: string, filter: string | undefined, states: () => string, who: string): void {
    const [, epoch, offset] = Buffer.from(cursor, 'base64url').toString('latin1').split('.');
    this.#means(`${epoch}/${Number.parseInt(offset ?? '', 36)} ${filter ?? ''}`, states(), who);
  }

  mustHaveExisted(state: string, who: string, on: Replica): void {
    if (this.#options.cluster.existed.has(state)) return;
    this.violated('D4', `${who} on ${on.name}: ${state} has never existed`);
  }

  // ---- rights

  revoked(token: string): void {
    if (!this.#revokedAt.has(token)) this.#revokedAt.set(token, this.#options.timeline.now);
  }

  granted(token: string): void {
    this.#revokedAt.delete(token);
  }

  thawed(replica: Replica): void {
    this.#thawedAt.set(replica, this.#options.timeline.now);
  }

  mustBeAllowed(token: string, on: Replica): void {
    const { now } = this.#options.timeline;
    const since = this.#revokedAt.get(token);
    if (since === undefined || now - since < REVOKED_MS) return;
    if (now - (this.#thawedAt.get(on) ?? Number.NEGATIVE_INFINITY) < THAW_MS) return;
    this.violated('D6', `${token} was shown something on ${on.name}, ${now - since} ms after the right to it was lost`);
  }

  // ---- what is written down

  ran(ran: Ran): void {
    const { script, answer, generation } = ran;
    if (script === 'publish') {
      const result = typeof answer === 'string' ? answer : 'elsewhere';
      this.note(`publish: ${result}`);
      if (result === 'written') this.#written(ran);
    }
    if (script === 'transfer' && answer === 1) this.note('handover: make before break');
    if (script === 'renew' && answer !== 'kept')
      this.note(`renew: ${typeof answer === 'string' ? answer : 'elsewhere'}`);
    if (script === 'acquire' && Array.isArray(answer)) {
      if (answer[0] === 0) this.note('acquire: held by another');
      else if (answer[2] !== null) this.note('acquire: taken over');
      else if (generation > 0) this.note('an emptied Redis was filled again');
    }
  }

  #written({ keys, argv, store, generation }: Ran): void {
    const [, meta = '', snapshot = '', , log = ''] = keys;
    const field = (name: string) => store.hash(meta).get(name)?.toString();
    const [fence = '', leader = '', epoch] = [argv[0]?.toString(), field('leader'), field('epoch')];
    this.#mayWrite(fence, leader, generation);
    if (field('complete') === '1') {
      const entries = [...store.hash(snapshot).values()].map((bytes) => decodeEntry(bytes));
      const objects = entries.flatMap(({ object }) => (object === undefined ? [] : [object]));
      this.#means(`${epoch}/${field('offset')} `, canonical(objects), `what ${leader} has written down`);
    }
    this.#mustBeContiguous(store.stream(log).map(({ bytes }) => decodeBatch(bytes)));
  }

  #mayWrite(fence: string, leader: string, generation: number): void {
    if (generation !== this.#generation) {
      this.#generation = generation;
      this.#highest = 0;
    }
    if (Number(fence) < this.#highest) {
      this.violated('C1', `${leader} has written under ${fence} after somebody had under ${this.#highest}`);
    }
    this.#highest = Number(fence);
    const id = `${generation}/${fence}`;
    const writer = this.#writers.get(id) ?? leader;
    this.#writers.set(id, writer);
    if (writer !== leader) this.violated('C1', `${leader} and ${writer} have both written under ${fence}`);
  }

  #mustBeContiguous(batches: readonly { readonly from: number; readonly to: number }[]): void {
    for (const [index, { from }] of batches.entries()) {
      const before = batches[index - 1];
      if (before !== undefined && before.to !== from) {
        this.violated('C4', `the written log goes from ${before.to} to ${from}`);
      }
    }
  }

  #means(revision: string, states: string, who: string): void {
    const known = this.#meanings.get(revision);
    if (known === undefined) this.#meanings.set(revision, { states, who });
    else if (known.states !== states) {
      const difference = differing(known.states, states);
      this.violated('revisions', `${revision}is [${difference[0]}] for ${known.who} and [${difference[1]}] for ${who}`);
    }
  }
}

/** What only one of two sets of states has. */
function differing(a: string, b: string): [string, string] {
  const [one, other] = [a, b].map((states) => states.split(' '));
  return [only(one, other), only(other, one)];
}

function only(these: readonly string[] = [], those: readonly string[] = []): string {
  return these.filter((each) => !those.includes(each)).join(' ');
}
