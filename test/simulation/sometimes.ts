/** What happened how often, over all runs. What a test never meets it does not test, whatever it says. */
export class Sometimes {
  readonly counts = new Map<string, number>();

  note(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  add(counts: Iterable<readonly [string, number]>): void {
    for (const [what, count] of counts) this.counts.set(what, (this.counts.get(what) ?? 0) + count);
  }

  missing(expected: readonly string[]): string[] {
    return expected.filter((what) => !this.counts.has(what));
  }
}

/** What a thousand seeds must have met, each of it at least once. */
export const INTERESTING: readonly string[] = [
  // who leads
  'share: took over',
  'share: handed over',
  'share: demoted',
  'share: alone',
  'alone, and back without a reset',
  'handover: make before break',
  // what followers do
  'share: repaired',
  'share: loaded',
  'share: crossed',
  'share: started over',
  // what Redis answers
  'publish: written',
  'publish: fenced',
  'publish: emptied',
  'publish: elsewhere',
  'renew: fenced',
  'renew: emptied',
  'acquire: taken over',
  'acquire: held by another',
  'failover: writes lost',
  'an emptied Redis was filled again',
  'Redis: out of memory',
  // what the cluster does
  'reflector: version expired',
  'reflector: goes on by watch',
  'reflector: goes on by list',
  'reflector: agent is away',
  'reflector: refused, and nobody else is here',
  'reflector: silent for too long',
  'cut off for being slow',
  'history rewritten',
  // what subscribers meet
  'resumed: on another replica',
  'resumed: with changes',
  'snapshot: HISTORY_EXPIRED',
  'snapshot: CURSOR_INVALID',
  'snapshot: UPSTREAM_RESET',
  'ended: ACCESS_REVOKED',
];

/** What some dozens of seeds must have met. */
export const COMMON: readonly string[] = [
  'share: took over',
  'share: handed over',
  'share: alone',
  'share: repaired',
  'share: loaded',
  'share: crossed',
  'publish: written',
  'publish: elsewhere',
  'acquire: taken over',
  'failover: writes lost',
  'reflector: version expired',
  'reflector: goes on by watch',
  'resumed: on another replica',
  'resumed: with changes',
  'ended: ACCESS_REVOKED',
];
