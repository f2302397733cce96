import { monitorEventLoopDelay } from 'node:perf_hooks';
import { queryObjects } from 'node:v8';
import { WebSocket } from 'ws';
import { answer } from '../../bench/child.ts';
import { DonorPool } from '../../src/pubsub/donor-pool.ts';
import { Feed } from '../../src/pubsub/feed.ts';
import { LiveUpdates } from '../../src/pubsub/live-updates.ts';
import { LogFeed } from '../../src/pubsub/log-feed.ts';
import { LogView } from '../../src/pubsub/log-view.ts';
import { ObjectLog } from '../../src/pubsub/object-log.ts';
import { Publisher } from '../../src/pubsub/sharing/publisher.ts';
import { Share } from '../../src/pubsub/sharing/share.ts';
import { UpdateReader } from '../../src/pubsub/updates.ts';
import { AggregatedSocket } from '../../src/sources/kas/aggregated/socket.ts';
import { Reflector } from '../../src/sources/reflector/reflector.ts';
import { WatchSession } from '../../src/sources/reflector/watch-session.ts';
import { Group } from '../../src/transport/fanout/group.ts';

/**
 * Loaded into a server's process before the server itself (`node --import`): tells, when asked over the process's
 * channel, what the process holds. The server knows nothing of it.
 */

const DEADLINE_MS = 3 * 3_600_000;

/** None of these may be left when nobody looks any more. */
const CLASSES = {
  AggregatedSocket,
  DonorPool,
  Feed,
  Group,
  LiveUpdates,
  LogFeed,
  LogView,
  ObjectLog,
  Publisher,
  Reflector,
  Share,
  UpdateReader,
  WatchSession,
  WebSocket,
};

export interface Memory {
  readonly heapBytes: number;
  readonly rssBytes: number;
}

export interface Holdings extends Memory {
  /** How many objects of each class there are. */
  readonly objects: Readonly<Record<string, number>>;
  /** What keeps the event loop busy, by kind: timers, sockets, … */
  readonly resources: Readonly<Record<string, number>>;
  /** Node's warnings so far, such as those of emitters with too many listeners. Of features that may change: none. */
  readonly warnings: readonly string[];
}

export interface LoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

const warnings: string[] = [];
process.on('warning', ({ name, message }) => {
  if (name !== 'ExperimentalWarning') warnings.push(`${name}: ${message}`); // that one is of what is used here
});

const delay = monitorEventLoopDelay({ resolution: 5 });

answer(
  {
    memory,

    async holdings(): Promise<Holdings> {
      const objects = Object.entries(CLASSES).map(([name, made]) => [name, queryObjects(made, { format: 'count' })]);
      return {
        ...(await memory()),
        objects: Object.fromEntries(objects) as Record<string, number>,
        resources: { ...counted(process.getActiveResourcesInfo()), timers: timers() },
        warnings,
      };
    },

    startDelay(): void {
      delay.reset();
      delay.enable();
    },

    delay(): LoopDelay {
      delay.disable();
      return { p99Ms: delay.percentile(99) / 1e6, maxMs: delay.max / 1e6 };
    },
  },
  DEADLINE_MS,
);

/** What is really held: after collecting garbage, twice, because finalizers let go of more. */
async function memory(): Promise<Memory> {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { heapBytes: heapUsed, rssBytes: rss };
}

/** Those of the server do not keep the loop alive, so Node does not list them. Counts what is held, run or not. */
function timers(): number {
  const timer = setTimeout(() => undefined, 0);
  clearTimeout(timer);
  return queryObjects(timer.constructor, { format: 'count' });
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
