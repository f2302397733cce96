import { LocalTally, type Tally } from '../pubsub/tally.ts';

/** How many sockets each owner has, here and on all replicas, and whether there may be one more. */
export class SocketCount {
  readonly #limit: number;
  readonly #tally: Tally;
  readonly #counts = new Map<string, number>();

  /** A limit of 0 is none. */
  constructor(limit: number, tally: Tally = new LocalTally()) {
    this.#limit = limit;
    this.#tally = tally;
  }

  /** Takes a place for the owner: resolves with how to give it back, or `undefined` when there is none left. */
  async enterAnywhere(owner: string): Promise<(() => void) | undefined> {
    const leave = this.enter(owner);
    if (leave === undefined || this.#limit === 0) return leave;
    const giveBack = await this.#tally.take('sockets', owner, this.#limit);
    if (giveBack === undefined) {
      leave();
      return undefined;
    }
    return () => {
      giveBack();
      leave();
    };
  }

  /** The same, on this replica only. */
  enter(owner: string): (() => void) | undefined {
    const count = this.#counts.get(owner) ?? 0;
    if (this.#limit > 0 && count >= this.#limit) return undefined;
    this.#counts.set(owner, count + 1);
    let left = false;
    return () => {
      if (!left) this.#leave(owner);
      left = true;
    };
  }

  #leave(owner: string): void {
    const count = (this.#counts.get(owner) ?? 0) - 1;
    if (count > 0) this.#counts.set(owner, count);
    else this.#counts.delete(owner);
  }
}
