import { OnDemand } from './on-demand.ts';

/** A stream of states in which only the latest matters: a value that was not taken yet is replaced by the next one. */
export class Latest<T> extends OnDemand<T> {
  #value: { readonly value: T } | undefined;

  offer(value: T): void {
    if (this.isEnded) return;
    this.#value = { value };
    this.look();
  }

  protected override read(): T | undefined {
    const latest = this.#value;
    this.#value = undefined;
    return latest?.value;
  }

  protected override stop(): void {
    this.#value = undefined;
  }
}
