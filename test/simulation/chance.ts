import { dice } from '../faults/dice.ts';

/** Everything that is left to chance, from a seed. */
export class Chance {
  readonly next: () => number;

  constructor(seed: number) {
    this.next = dice(seed);
  }

  /** A source of chance of its own, so that what one part draws does not change what another does. */
  fork(): Chance {
    return new Chance(Math.floor(this.next() * 2 ** 31));
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  integer(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** True in so many of all cases. */
  isLucky(share: number): boolean {
    return this.next() < share;
  }

  /** Throws when there is nothing to choose from. */
  pick<T>(choices: readonly T[]): T {
    const choice = choices[Math.floor(this.next() * choices.length)];
    if (choice === undefined) throw new Error('There is nothing to choose from.');
    return choice;
  }

  weighted<T extends { readonly weight: number }>(choices: readonly T[]): T {
    let rest = this.next() * choices.reduce((sum, { weight }) => sum + weight, 0);
    for (const choice of choices) {
      rest -= choice.weight;
      if (rest < 0) return choice;
    }
    return this.pick(choices);
  }
}
