import { ClientView } from './client-view.ts';
import type { Write } from './cluster-history.ts';
import { digestOf, PastStates } from './past-states.ts';
import type { Recording } from './recording.ts';

/**
 * For how long, in milliseconds, a client was behind the cluster at worst: from a write (of `from` or later) until the
 * client showed a state that has it. A write that was never shown counts until the end of the recording.
 */
export function longestLag({ entries }: Recording, history: readonly Write[], from: number): number {
  const states = new PastStates(history);
  const view = new ClientView();
  let longest = 0;
  let seen = 0;
  const catchUp = (write: number, at: number) => {
    for (; seen < write; seen += 1) {
      const writtenAt = states.timeOf(seen + 1);
      if (writtenAt >= from) longest = Math.max(longest, at - writtenAt);
    }
  };
  for (const entry of entries) {
    if (entry.kind !== 'update') continue;
    view.apply(entry);
    let digest = 0n;
    for (const pod of view.pods.values()) digest ^= digestOf(pod);
    catchUp(states.writesBefore(digest, entry.at).at(-1) ?? seen, entry.at);
  }
  catchUp(states.length, entries.at(-1)?.at ?? 0);
  return longest;
}
