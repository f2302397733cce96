import type { Counters } from '../counters.ts';
import type { OnUpdate } from './live-updates.ts';
import type { Update } from './updates.ts';

/** Counts the messages of subscribers who are served by themselves. */
export function countUpdates(counters: Counters): OnUpdate {
  return ({ resume }, update, { isFirst, notices }) => {
    if (isFirst) {
      if (resume !== undefined) countResume(counters, update);
      return;
    }
    countResync(counters, update);
    if (notices > 1) counters.add('updates_coalesced');
  };
}

/** Counts what became of a cursor: a subscription's first message after it came with one. */
export function countResume(counters: Counters, { resyncReason }: Update, subscribers = 1): void {
  if (resyncReason === 'HISTORY_EXPIRED' || resyncReason === 'CURSOR_INVALID') {
    counters.add('resumes', { result: resyncReason }, subscribers);
  } else counters.add('resumes', { result: 'RESUMED' }, subscribers);
}

/** Counts a later message if it starts over. */
export function countResync(counters: Counters, { resyncReason }: Update, subscribers = 1): void {
  if (resyncReason === 'UPSTREAM_RESET' || resyncReason === 'SLOW_CONSUMER') {
    counters.add('resyncs', { reason: resyncReason }, subscribers);
  }
}
