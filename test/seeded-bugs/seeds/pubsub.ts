import type { Seed } from '../seed.ts';

const LOG = 'src/pubsub/object-log.test.ts';
const FEED = 'src/pubsub/feed.test.ts';
const HUB = 'src/pubsub/hub.test.ts';
const UPDATES = 'src/pubsub/updates.test.ts';
const LIVE = 'src/pubsub/live-updates.test.ts';
const ON_DEMAND = 'src/pubsub/on-demand.test.ts';
const DONORS = 'src/pubsub/donor-pool.test.ts';
const CURSOR = 'src/pubsub/cursor.test.ts';

export const PUBSUB: readonly Seed[] = [
  {
    name: 'forgotten-offsets-answered',
    file: 'src/pubsub/object-log.ts',
    find: '    if (offset < this.#floor || offset > this.#offset) return undefined;',
    replace: '    if (offset > this.#offset) return undefined;',
    caughtBy: { file: LOG, test: 'forgets an offset only when a removal after it is older than ten minutes' },
  },
  {
    name: 'offsets-from-the-future-answered',
    file: 'src/pubsub/object-log.ts',
    find: '    if (offset < this.#floor || offset > this.#offset) return undefined;',
    replace: '    if (offset < this.#floor) return undefined;',
    caughtBy: { file: LOG, test: 'does not answer for an offset that has not been reached' },
  },
  {
    name: 'tombstones-dropped',
    file: 'src/pubsub/object-log.ts',
    find: '    this.#tombstones.push(this.#append(buried));\n',
    replace: '    this.#unlink(this.#append(buried));\n    this.#byUid.delete(uid);\n',
    caughtBy: { file: LOG, test: 'keeps what the events say, and tells what changed since any offset' },
  },
  {
    name: 'tombstones-kept-without-bound',
    file: 'src/pubsub/object-log.ts',
    find: 'if (this.#tombstones.length - this.#firstTombstone <= MAX_TOMBSTONES && oldest.at >= horizon) break;',
    replace: 'if (oldest.at >= horizon) break;',
    caughtBy: { file: LOG, test: 'forgets the oldest removals when there are too many, and what was before them' },
  },
  {
    name: 'coalescer-loses-removals',
    file: 'src/pubsub/object-log.ts',
    find: '      else if (entry.bornAt <= offset) removed.push(entry.uid); // else it came and went unseen\n',
    replace: '',
    caughtBy: { file: LOG, test: 'keeps what the events say, and tells what changed since any offset' },
  },
  {
    name: 'removals-of-what-was-never-seen',
    file: 'src/pubsub/object-log.ts',
    find: '      else if (entry.bornAt <= offset) removed.push(entry.uid); // else it came and went unseen\n',
    replace: '      else removed.push(entry.uid);\n',
    caughtBy: { file: LOG, test: 'never saw what came and went between two looks' },
  },
  {
    name: 'older-states-applied',
    file: 'src/pubsub/object-log.ts',
    find: "      if (order === 0 || order === -1) return 'stale';\n",
    replace: '',
    caughtBy: {
      file: 'src/sources/reflector/reflector-contents.test.ts',
      test: 'row 20: repeats and older versions are dropped; what cannot be compared is applied',
    },
  },
  {
    name: 'removed-objects-resurrected',
    file: 'src/pubsub/object-log.ts',
    find: "      if (known.object === undefined) return order === 1 ? 'contradiction' : 'stale';\n      if (order",
    replace: '      if (known.object !== undefined && order',
    caughtBy: { file: LOG, test: 'says when a removal turns out to have been wrong, and changes nothing then' },
  },
  {
    name: 'namesake-kept-beside-its-successor',
    file: 'src/pubsub/object-log.ts',
    find: '      this.#bury(other, resourceVersion);\n',
    replace: '',
    caughtBy: { file: LOG, test: 'takes a new object for the end of the one that had its name' },
  },
  {
    name: 'epoch-outlives-its-log',
    file: 'src/pubsub/history.ts',
    find: '    this.#now = { log, epoch: newEpoch(), lineage: new Map() };\n    this.#former = undefined;\n',
    replace: '    this.#now = { ...this.#now, log };\n    this.#former = undefined;\n',
    caughtBy: {
      file: FEED,
      test: 'starts a new epoch when the history was lost, and when a removal turns out to have been wrong',
    },
  },
  {
    name: 'readers-told-of-every-event',
    file: 'src/pubsub/feed.ts',
    find: '    if (this.#changeDue) return;\n',
    replace: '',
    caughtBy: { file: FEED, test: 'tells readers once a turn, however much has changed, and not at all of repeats' },
  },
  {
    name: 'fresh-by-the-passing-of-time',
    file: 'src/pubsub/feed.ts',
    find: 'freshAsOf: this.#freshAsOf, reason',
    replace: 'freshAsOf: this.#clock.now(), reason',
    caughtBy: { file: FEED, test: 'is fresh when something was heard, and not by the passing of time' },
  },
  {
    name: 'waiters-for-the-first-list-forgotten',
    file: 'src/pubsub/feed.ts',
    find: '        else if (this.#status.error !== undefined) reject(this.#status.error);\n',
    replace: '',
    caughtBy: {
      file: FEED,
      test: 'is not ready, and says why, when something is in the way of the first list',
    },
  },
  {
    name: 'feeds-shared-across-identities',
    file: 'src/pubsub/feed-key.ts',
    find: 'plural, identity ?? null]',
    replace: 'plural, identity === undefined ? null : null]',
    caughtBy: { file: HUB, test: 'shares nothing between agents, namespaces, resources and identities' },
  },
  {
    name: 'feed-closed-under-its-viewers',
    file: 'src/pubsub/hub.ts',
    find: '    entry.lingering?.cancel();\n    entry.lingering = undefined;\n',
    replace: '    entry.lingering = undefined;\n',
    caughtBy: { file: HUB, test: 'closes a feed some time after its last viewer, and not while there is one' },
  },
  {
    name: 'feed-held-open-for-ever',
    file: 'src/pubsub/hub.ts',
    find: 'this.#options.lingerMs, () => this.#close(id, entry));',
    replace: 'this.#options.lingerMs, () => void [id, entry]);',
    caughtBy: { file: HUB, test: 'closes a feed some time after its last viewer, and not while there is one' },
  },
  {
    name: 'release-counts-twice',
    file: 'src/pubsub/hub.ts',
    find: '        if (released) return;\n',
    replace: '',
    caughtBy: { file: HUB, test: 'closes a feed some time after its last viewer, and not while there is one' },
  },
  {
    name: 'refused-donor-offered-again',
    file: 'src/pubsub/donor-pool.ts',
    find: '  refused(donor: Donor, error: UpstreamError): void {\n    this.#donors.delete(donor);\n',
    replace: '  refused(donor: Donor, error: UpstreamError): void {\n',
    caughtBy: { file: DONORS, test: 'offers each donor once when all are refused, and tells each' },
  },
  {
    name: 'credentials-of-the-departed-used-for-ever',
    file: 'src/pubsub/donor-pool.ts',
    find: '    this.#departed = this.#clock.after(DEPARTED_MS, () => this.#replace());\n',
    replace: '',
    caughtBy: { file: DONORS, test: 'keeps one who has left for a minute, then has another take over' },
  },
  {
    name: 'withdrawn-credentials-go-on',
    file: 'src/pubsub/donor-pool.ts',
    find: '    if (this.#current !== undefined && isMeant(this.#current)) this.#replace();\n',
    replace: '',
    caughtBy: {
      file: 'test/rights/donors.test.ts',
      test: 'no stream goes on with credentials that were withdrawn, nor for more than a minute with those of who left',
    },
  },
  {
    name: 'cursor-of-another-view-accepted',
    file: 'src/pubsub/cursor.ts',
    find: ' || match[3] !== view) return undefined;',
    replace: ' || view === undefined) return undefined;',
    caughtBy: { file: UPDATES, test: 'answers a cursor that is none of its own with a snapshot' },
  },
  {
    name: 'view-without-its-filter',
    file: 'src/pubsub/cursor.ts',
    find: 'group, version, plural, filterKey]',
    replace: 'group, version, plural, filterKey === undefined]',
    caughtBy: { file: CURSOR, test: 'knows what was looked at' },
  },
  {
    name: 'cursor-of-another-epoch-accepted',
    file: 'src/pubsub/updates.ts',
    find: 'from === undefined || !this.#feed.knows(from)',
    replace: 'from === undefined',
    caughtBy: { file: UPDATES, test: 'answers a cursor that is none of its own with a snapshot' },
  },
  {
    name: 'what-ceases-to-match-stays',
    file: 'src/pubsub/updates.ts',
    find: ' else if (shown.delete(uid)) removed.push(uid);',
    replace: ' else shown.delete(uid);',
    caughtBy: {
      file: UPDATES,
      test: 'removes what ceases to match, once, and says nothing of what never did',
    },
  },
  {
    name: 'resume-keeps-what-ceased-to-match',
    file: 'src/pubsub/updates.ts',
    find: 'removed: [...delta.removed, ...hidden.map(({ metadata }) => metadata.uid)]',
    replace: 'removed: [...delta.removed, ...hidden.slice(hidden.length).map(({ metadata }) => metadata.uid)]',
    caughtBy: {
      file: UPDATES,
      test: 'keeps a client equal to the collection, however seldom it looks, and however it comes back',
    },
  },
  {
    name: 'messages-after-the-failure',
    file: 'src/pubsub/on-demand.ts',
    find: '    if (this.#isEnded) {\n      this.#take()?.resolve(DONE);\n      return;\n    }\n',
    replace: '',
    caughtBy: { file: ON_DEMAND, test: 'delivers nothing more after fail(), which waits for a reader' },
  },
  {
    name: 'leaving-waits-for-the-next-message',
    file: 'src/pubsub/on-demand.ts',
    find: '    this.end();\n    this.#take()?.resolve(DONE);\n    return Promise.resolve(DONE);',
    replace: '    this.end();\n    return Promise.resolve(DONE);',
    caughtBy: { file: ON_DEMAND, test: 'settles a pending next() at once on return() and on fail(), and lets go once' },
  },
  {
    name: 'max-rate-ignored',
    file: 'src/pubsub/live-updates.ts',
    find: '    if (this.#isTooSoon()) return undefined;\n',
    replace: '',
    caughtBy: { file: LIVE, test: 'sends no more often than is wanted, and then the latest state' },
  },
  {
    name: 'listeners-left-behind',
    file: 'src/pubsub/live-updates.ts',
    find: '    for (const stop of this.#stopListening) stop();\n',
    replace: '',
    caughtBy: { file: LIVE, test: 'leaves no listener behind' },
  },
  {
    name: 'missed-log-lines-not-told',
    file: 'src/pubsub/log-view.ts',
    find: 'const skipped = lines.length === 0 ? Math.max(0, ring.start - this.#next) : 0;\n    this.#next += skipped;',
    replace: 'const skipped = 0;\n    this.#next = Math.max(this.#next, ring.start);',
    caughtBy: {
      file: 'src/pubsub/log-view.test.ts',
      test: 'tells how many lines a slow reader has missed, and counts them',
    },
  },
  {
    name: 'same-state-told-again',
    file: 'src/pubsub/object-updates.ts',
    find: '      if (state === this.#sent) continue;\n',
    replace: '',
    caughtBy: {
      file: 'src/schema/object-subscription.test.ts',
      test: 'tells of an object that comes, changes, goes and comes back; and nothing twice',
    },
  },
  {
    name: 'log-goes-on-with-withdrawn-credentials',
    file: 'src/pubsub/log-hub.ts',
    find: '    if (entry.attachments === 0) this.#close(id, entry);\n',
    replace: '',
    caughtBy: {
      file: 'test/rights/donors.test.ts',
      test: 'nor does the stream of a log go on with credentials that were withdrawn',
    },
  },
];
