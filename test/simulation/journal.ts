import { Sometimes } from './sometimes.ts';
import type { Timeline } from './timeline.ts';

/** A rule was broken: what, when, and what the first sign of it was. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`);
    this.rule = rule;
  }
}

/** What happened in a run: all steps, the last events, and the first rule that was broken. */
export class Journal {
  readonly steps: string[] = [];
  readonly events: string[] = [];
  readonly sometimes = new Sometimes();
  readonly #timeline: Timeline;
  readonly #print: ((line: string) => void) | undefined;
  #violation: Violation | undefined;

  /** `print` is told everything, as it happens. */
  constructor(timeline: Timeline, print?: (line: string) => void) {
    this.#timeline = timeline;
    this.#print = print;
  }

  get violation(): Violation | undefined {
    return this.#violation;
  }

  get isVerbose(): boolean {
    return this.#print !== undefined;
  }

  step(what: string): void {
    this.steps.push(this.#write(`STEP ${what}`));
  }

  event(what: string): void {
    this.events.push(this.#write(what));
    if (this.events.length > 200) this.events.splice(0, 100);
  }

  /** Only for those who read along. */
  detail(what: () => string): void {
    if (this.isVerbose) this.#write(what());
  }

  violated(rule: string, message: string): void {
    const violation = new Violation(rule, message);
    this.event(`VIOLATION ${violation.message}`);
    this.#violation ??= violation;
  }

  #write(what: string): string {
    const line = `${(this.#timeline.now / 1_000).toFixed(3).padStart(9)} ${what}`;
    this.#print?.(line);
    return line;
  }
}
