import { sleep } from '../clock.ts';
import type { Clock } from '../clock.ts';

/** Sends one client away so that it comes back elsewhere. Resolves when it has gone. */
export type Farewell = () => Promise<void>;

const TICK_MS = 50;

/**
 * Sends clients away one after the other, evenly over `overMs`: coming back all at once, they would be a stampede on
 * those who stay. 0: all at once. Resolves when all have gone.
 */
export async function sendAway(farewells: readonly Farewell[], overMs: number, clock: Clock): Promise<void> {
  const start = clock.monotonic();
  const going: Promise<void>[] = [];
  for (;;) {
    const share = overMs === 0 ? 1 : Math.min(1, (clock.monotonic() - start) / overMs);
    const due = farewells.slice(going.length, Math.ceil(share * farewells.length));
    going.push(...due.map((farewell) => farewell()));
    if (going.length === farewells.length) break;
    await sleep(clock, TICK_MS);
  }
  await Promise.all(going);
}
