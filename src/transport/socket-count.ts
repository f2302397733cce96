/** How many sockets each owner has, and whether there may be one more. */
export class SocketCount {
  readonly #limit: number;
  readonly #counts = new Map<string, number>();

  /** A limit of 0 is none. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a place for the owner: returns how to give it back, or `undefined` when there is none left. */
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
