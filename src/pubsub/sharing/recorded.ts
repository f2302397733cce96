import type { Clock } from '../../clock.ts';
import { Feed } from '../feed.ts';
import type { Chronicle } from '../history.ts';
import { ObjectLog } from '../object-log.ts';
import type { Channel, Head, Recorded } from './bus.ts';

/** What is written down, as a log under its name. */
export function chronicleOf({ head, entries }: Recorded, clock: Clock): Chronicle {
  const log = ObjectLog.of(entries, head.offset, head.floor, () => clock.monotonic());
  return { log, epoch: head.epoch, lineage: head.lineage };
}

/** The same as a feed of its own, to be compared with the one that is shown, and perhaps to take its place. */
export function feedBeside(feed: Feed, recorded: Recorded, clock: Clock): Feed {
  const beside = new Feed(feed.key, clock);
  beside.adopt(chronicleOf(recorded, clock), recorded.head.resourceVersion);
  beside.complete();
  return beside;
}

/**
 * Makes the feed of who is to lead the continuation of what is written down up to `head`. Returns as far as that is
 * part of its line. `isStale`: it is history, and only a list makes it a collection that may be shown.
 */
export async function alignWith(
  head: Head | undefined,
  isStale: boolean,
  { feed, channel, clock }: { readonly feed: Feed; readonly channel: Channel; readonly clock: Clock },
): Promise<Head | undefined> {
  if (head === undefined || (feed.synced && feed.descendsFrom(head))) return head;
  const recorded = await channel.read();
  if (recorded === undefined) return undefined;
  const beside = feedBeside(feed, recorded, clock);
  // Two lines, and this one is further: the others will cross over to it.
  if (feed.synced && feed.isAheadOf(beside)) return undefined;
  feed.adopt(beside.chronicle, beside.resourceVersion);
  if (!isStale) feed.complete();
  return recorded.head;
}
