import { Viewer } from '../../src/access/viewer.ts';
import { ApiError } from '../../src/errors.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import type { ObjectFilter, Update } from '../../src/pubsub/updates.ts';
import type { Chance } from './chance.ts';
import { KEY, type Replica, type World } from './replica.ts';
import { Witness } from './witness.ts';
import type { Oracle } from './oracle.ts';

/** How a subscriber looks, which stays the same for all of its life. */
export interface Taste {
  readonly filter: ObjectFilter | undefined;
  readonly maxRate: number | undefined;
  /** How long it takes for each message at most, in milliseconds. */
  readonly slownessMs: number;
}

export const ALL: Taste = { filter: undefined, maxRate: undefined, slownessMs: 0 };

export function taste(chance: Chance): Taste {
  const color = chance.pick(['red', 'blue']);
  const filter: ObjectFilter = { key: `color=${color}`, matches: (object) => colorOf(object) === color };
  return {
    filter: chance.isLucky(0.3) ? filter : undefined,
    maxRate: chance.isLucky(0.15) ? chance.pick([1, 5]) : undefined,
    slownessMs: chance.isLucky(0.2) ? chance.pick([200, 3_000, 15_000]) : 0,
  };
}

function colorOf(object: KubernetesObject): string | undefined {
  return object.metadata.labels?.['color'];
}

/** Somebody who wants to look for as long as they have not left, on whichever replica it is to be had. */
export class Subscriber {
  readonly name: string;
  readonly taste: Taste;
  readonly witness: Witness;
  readonly #viewer: Viewer;
  readonly #world: World;
  readonly #replicas: () => readonly Replica[];
  #home: Replica | undefined;
  /** The attachment that counts; what others still say is not heard. */
  #attachment = 0;
  #stream: AsyncIterableIterator<Update> | undefined;
  #isHere = false;

  constructor(name: string, taste: Taste, world: World, oracle: Oracle, replicas: () => readonly Replica[]) {
    this.name = name;
    this.taste = taste;
    this.#world = world;
    this.#replicas = replicas;
    this.witness = new Witness(name, taste.filter, oracle);
    this.#viewer = new Viewer({ kind: 'bearer', agentId: undefined, tokenType: 'pat', token: name });
  }

  get isHere(): boolean {
    return this.#isHere;
  }

  get home(): Replica | undefined {
    return this.#home;
  }

  /** Comes, for the first time or with what it knows from before. */
  join(replica: Replica): void {
    this.#isHere = true;
    this.#leaveHome();
    this.#attachment += 1;
    const attachment = this.#attachment;
    if (this.#home !== undefined && this.#home.name !== replica.name && this.witness.cursor !== undefined) {
      this.#world.journal.sometimes.note('resumed: on another replica');
    }
    this.#home = replica;
    replica.process.deliver(this.#world.chance.between(1, 30), () => void this.#follow(replica, attachment));
  }

  leave(): void {
    this.#isHere = false;
    this.#leaveHome();
    this.#attachment += 1;
    this.#home = undefined;
  }

  /** Forgets what it knows: it begins anew when it comes back. */
  forget(): void {
    this.witness.forget();
  }

  /** The connection is gone: comes back somewhere in a while. */
  lost(): void {
    this.#attachment += 1;
    this.#stream = undefined;
    this.#comeBack(this.#world.chance.between(10, 1_000));
  }

  #comeBack(inMs: number): void {
    const attachment = this.#attachment;
    this.#world.timeline.after(inMs, () => {
      if (!this.#isHere || this.#attachment !== attachment) return;
      const open = this.#replicas().filter(({ isOpen }) => isOpen);
      if (open.length === 0) this.#comeBack(500);
      else this.join(this.#world.chance.pick(open));
    });
  }

  #leaveHome(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream !== undefined) this.#home?.process.deliver(1, () => void stream.return?.());
  }

  async #follow(replica: Replica, attachment: number): Promise<void> {
    const { filter, maxRate, slownessMs } = this.taste;
    const isMine = () => this.#attachment === attachment;
    if (!isMine()) return;
    try {
      const resume = this.witness.begin();
      const stream = await replica.gate.subscribe(this.#viewer, KEY, { filter, maxRate, resume });
      if (!isMine()) {
        await stream.return?.();
        return;
      }
      this.#stream = stream;
      for (let next = await stream.next(); next.done !== true && isMine(); next = await stream.next()) {
        this.#world.journal.detail(() => `${this.name} on ${replica.name}: ${inShort(next.value)}`);
        this.witness.apply(next.value, replica);
        if (slownessMs > 0) await pause(replica, replica.process.random() * slownessMs);
        if (!isMine()) return;
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#world.journal.sometimes.note(`ended: ${error.code}`);
      this.#world.journal.detail(() => `${this.name} on ${replica.name}: ended: ${error.code} ${error.message}`);
    }
    if (!isMine()) return;
    this.#stream = undefined;
    this.#comeBack(this.#world.chance.between(1_000, 5_000));
  }
}

function pause({ process }: Replica, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    process.after(milliseconds, resolve);
  });
}

function inShort({ type, upserted, removed, resyncReason, cursor }: Update): string {
  const states = upserted.map(({ metadata }) => `${metadata.uid}@${metadata.resourceVersion}`);
  const [, epoch, offset] = Buffer.from(cursor, 'base64url').toString().split('.');
  return `${type} ${resyncReason ?? ''} +[${states.join(' ')}] -[${removed.join(' ')}] → ${epoch}/${Number.parseInt(offset ?? '', 36)}`;
}
