/**
 * The operations of one connection whose client waits for a single answer: queries and mutations. A client that is
 * sent away before a mutation's answer would ask for it again elsewhere, and it would happen twice.
 */
export class OwedAnswers {
  /** Undefined while none is owed, which is nearly always. */
  #owed: Set<string> | undefined;
  #onNone: (() => void)[] | undefined;

  owe(id: string): void {
    (this.#owed ??= new Set()).add(id);
  }

  /** Answered, or not to be answered. */
  settle(id: string): void {
    if (this.#owed?.delete(id) !== true || this.#owed.size > 0) return;
    this.#owed = undefined;
    for (const resolve of this.#onNone ?? []) resolve();
    this.#onNone = undefined;
  }

  /** Resolves when none is owed. */
  none(): Promise<void> {
    return this.#owed === undefined ? Promise.resolve() : new Promise((resolve) => (this.#onNone ??= []).push(resolve));
  }
}
