import type { Chance } from '../chance.ts';
import type { Process } from '../process.ts';
import type { Timeline } from '../timeline.ts';

/** One direction of the way between a process and a server. Held, what is under way waits, in order. */
export class Lane {
  #held: (() => void)[] | undefined;

  pass(task: () => void): void {
    if (this.#held === undefined) task();
    else this.#held.push(task);
  }

  hold(): void {
    this.#held ??= [];
  }

  open(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const task of held) task();
  }
}

/** The way between one process and Redis, for all its connections. */
export class Link {
  readonly process: Process;
  readonly up = new Lane();
  readonly down = new Lane();
  readonly lines = new Set<Line>();
  /** So many messages that are published to this process are lost on the way, and nobody says so. */
  messagesToLose = 0;

  constructor(process: Process) {
    this.process = process;
  }

  /** Nothing arrives any more, and nothing breaks. */
  hold(): void {
    this.up.hold();
    this.down.hold();
  }

  open(): void {
    this.up.open();
    this.down.open();
  }

  /** All connections break; what has not arrived never will. */
  cut(): void {
    for (const line of this.lines) line.break();
  }
}

/** One connection: what is sent over it arrives in order, or not at all. */
export class Line {
  readonly #timeline: Timeline;
  readonly #chance: Chance;
  readonly #link: Link;
  readonly #onBroken: () => void;
  #isBroken = false;
  #lastUp = 0;
  #lastDown = 0;

  /** `onBroken` is called in the process when the connection breaks by itself. */
  constructor(timeline: Timeline, chance: Chance, link: Link, onBroken: () => void) {
    this.#timeline = timeline;
    this.#chance = chance;
    this.#link = link;
    this.#onBroken = onBroken;
    link.lines.add(this);
  }

  get isBroken(): boolean {
    return this.#isBroken || !this.#link.process.isAlive;
  }

  toServer(task: () => void): void {
    this.#lastUp = Math.max(this.#lastUp, this.#timeline.now + this.#latency());
    this.#timeline.after(this.#lastUp - this.#timeline.now, () =>
      this.#link.up.pass(() => {
        if (!this.isBroken) task();
      }),
    );
  }

  toProcess(task: () => void): void {
    this.#lastDown = Math.max(this.#lastDown, this.#timeline.now + this.#latency());
    this.#timeline.after(this.#lastDown - this.#timeline.now, () =>
      this.#link.down.pass(() => {
        if (!this.isBroken) this.#link.process.receive(task);
      }),
    );
  }

  /** By the other side, or on the way. */
  break(): void {
    if (!this.close()) return;
    this.#link.process.deliver(this.#latency(), this.#onBroken);
  }

  /** By the process itself. False when it was over already. */
  close(): boolean {
    if (this.#isBroken) return false;
    this.#isBroken = true;
    this.#link.lines.delete(this);
    return true;
  }

  #latency(): number {
    return this.#chance.isLucky(0.02) ? this.#chance.between(20, 300) : this.#chance.between(0.2, 5);
  }
}
