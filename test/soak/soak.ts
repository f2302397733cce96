import type { Holdings, Memory } from './probe.ts';
import { sleep, until, type Account, type Stage } from './stage.ts';

export interface Plan {
  readonly minutes: number;
  readonly changesPerSecond: number;
  readonly joinsPerSecond: number;
  readonly cutEveryMs: number;
}

export interface Sample extends Memory {
  readonly atMs: number;
  readonly replica: number;
}

export interface Soaked {
  readonly baseline: readonly Holdings[];
  readonly end: readonly Holdings[];
  readonly openAtEnd: Readonly<Record<string, number>>;
  readonly samples: readonly Sample[];
  readonly account: Account;
  readonly changes: number;
  readonly cuts: Readonly<Record<string, number>>;
  /** How often all sets were compared with the cluster's. */
  readonly comparisons: number;
  /** Sets that were not the cluster's though there was time. */
  readonly different: readonly string[];
}

const WARM_UP_MS = 30_000;
const SAMPLE_MS = 15_000;
/** Idle connections are kept for a minute, as KAS's stand-in allows; everything else is gone long before. */
const SETTLE_MS = 80_000;
const CONVERGE_MS = 20_000;

/** Lets viewers come and go while everything changes and breaks; then everybody leaves. */
export async function soak(stage: Stage, plan: Plan, say: (text: string) => void): Promise<Soaked> {
  const fresh = await Promise.all(stage.replicas.map((replica) => replica.holdings()));
  say(`Warming up for ${WARM_UP_MS / 1_000} s.`);
  stage.cluster.startChanging(plan.changesPerSecond);
  await stage.tell('live', plan.joinsPerSecond);
  await sleep(WARM_UP_MS);
  const baseline = await emptied(stage, say, fresh);
  say(`Soaking for ${plan.minutes} minutes.`);
  stage.cluster.startChanging(plan.changesPerSecond);
  await stage.tell('live', plan.joinsPerSecond);
  const { samples, different, comparisons } = await live(stage, plan, say);
  const account = await stage.accounts();
  const { changes, cuts } = stage.cluster;
  const end = await emptied(stage, say, baseline);
  const openAtEnd = await stage.levels();
  return { baseline, end, openAtEnd, samples, account, changes, cuts, comparisons, different };
}

async function live(stage: Stage, plan: Plan, say: (text: string) => void) {
  const samples: Sample[] = [];
  const different: string[] = [];
  let comparisons = 0;
  const startedAt = performance.now();
  let nextCut = plan.cutEveryMs;
  for (;;) {
    await sleep(SAMPLE_MS);
    const atMs = performance.now() - startedAt;
    const memories = await Promise.all(stage.replicas.map((replica) => replica.memory()));
    samples.push(...memories.map((memory, replica) => ({ ...memory, atMs, replica })));
    const isOver = atMs >= plan.minutes * 60_000;
    if (atMs < nextCut && !isOver) continue;
    nextCut += plan.cutEveryMs;
    different.push(...(await compare(stage, plan)));
    comparisons += 1;
    const account = await stage.accounts();
    say(progress(atMs, account, memories, different));
    for (const problem of [...account.breaches.slice(0, 5), ...different.slice(0, 5)]) say(`  ${problem}`);
    if (isOver) return { samples, different, comparisons };
    stage.cluster.cut();
  }
}

/** Everything stands still for a moment, and every set must become the cluster's. */
async function compare(stage: Stage, plan: Plan): Promise<string[]> {
  stage.cluster.stopChanging();
  await stage.tell('hold', true);
  const different = await stage.different(CONVERGE_MS);
  await stage.tell('hold', false);
  stage.cluster.startChanging(plan.changesPerSecond);
  return different;
}

/** What is held once everybody has left and no more is open than before, or the time for that is up. */
async function emptied(stage: Stage, say: (text: string) => void, before: readonly Holdings[]): Promise<Holdings[]> {
  stage.cluster.stopChanging();
  await stage.tell('leaveAll');
  say('Everybody has left; waiting until everything is released.');
  const startedAt = performance.now();
  await stage.released(SETTLE_MS);
  return until(
    () => Promise.all(stage.replicas.map((replica) => replica.holdings())),
    (all) => all.every((held, index) => isEmpty(held, before[index])),
    SETTLE_MS - (performance.now() - startedAt),
  );
}

function isEmpty({ objects, resources }: Holdings, before: Holdings | undefined): boolean {
  if (Object.values(objects).some((count) => count > 0)) return false;
  return Object.entries(resources).every(([kind, count]) => count <= (before?.resources[kind] ?? 0));
}

function progress(atMs: number, account: Account, memories: readonly Memory[], different: readonly string[]): string {
  const heap = memories
    .map(({ heapBytes, rssBytes }) => `${megabytes(heapBytes)} of ${megabytes(rssBytes)}`)
    .join(', ');
  const { viewers, joined, messages, breaches } = account;
  return `${Math.round(atMs / 60_000)} min: ${viewers} viewers of ${joined} so far, ${messages} messages, heap ${heap}; ${breaches.length} breaches, ${different.length} sets wrong.`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
