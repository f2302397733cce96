import type { Seed } from '../seed.ts';

const FOLLOWER = 'src/pubsub/sharing/follower.test.ts';
const HISTORY = 'src/pubsub/history.test.ts';
const CHANNEL = 'test/sharing/channel.test.ts';
const REPLICAS = 'test/sharing/sharing.test.ts';
const TAKEOVER = 'test/sharing/takeover.test.ts';

export const SHARING: readonly Seed[] = [
  {
    name: 'redis-takes-batches-of-any-fence',
    file: 'src/pubsub/redis/scripts.ts',
    find: "if meta[1] ~= ARGV[1] then return 'fenced' end\n",
    replace: '',
    caughtBy: { file: CHANNEL, test: 'takes nothing from whoever led before' },
  },
  {
    name: 'redis-keeps-the-lease-of-any-fence',
    file: 'src/pubsub/redis/scripts.ts',
    find: "if meta[1] ~= ARGV[2] or (owner and owner ~= ARGV[1]) then return 'fenced' end\n",
    replace: '',
    caughtBy: { file: CHANNEL, test: 'takes nothing from whoever led before' },
  },
  {
    name: 'redis-gives-the-lease-to-two',
    file: 'src/pubsub/redis/scripts.ts',
    find: 'if owner and owner ~= ARGV[1] then return {0, owner} end\n',
    replace: '',
    caughtBy: { file: CHANNEL, test: 'has one leader at a time, and each fence is higher than all before' },
  },
  {
    name: 'fence-given-twice',
    file: 'src/pubsub/redis/scripts.ts',
    find: 'local fence = digits(math.max((tonumber(meta[1]) or 0) + 1, now()))',
    replace: 'local fence = digits(tonumber(meta[1]) or 1)',
    caughtBy: { file: CHANNEL, test: 'has one leader at a time, and each fence is higher than all before' },
  },
  {
    name: 'redis-takes-batches-with-gaps',
    file: 'src/pubsub/redis/scripts.ts',
    find: 'elseif meta[2] ~= ARGV[5] or meta[3] ~= ARGV[6] then',
    replace: 'elseif meta[2] ~= ARGV[5] then',
    caughtBy: { file: CHANNEL, test: 'takes a batch only where what is written ends' },
  },
  {
    name: 'lease-of-another-released',
    file: 'src/pubsub/redis/scripts.ts',
    find: "if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('HGET', KEYS[2], 'fence') ~= ARGV[2] then return 0 end\nredis.call('DEL', KEYS[1])",
    replace: "redis.call('DEL', KEYS[1])",
    caughtBy: { file: CHANNEL, test: 'takes nothing from whoever led before' },
  },
  {
    name: 'removals-stay-in-the-snapshot',
    file: 'src/pubsub/redis/scripts.ts',
    find: "    redis.call('HDEL', KEYS[3], uid)\n",
    replace: '',
    caughtBy: { file: CHANNEL, test: 'keeps removals apart, and forgets what is before the floor' },
  },
  {
    name: 'keys-that-stay-for-ever',
    file: 'src/pubsub/redis/scripts.ts',
    find: "for i = 2, 5 do redis.call('PEXPIRE', KEYS[i], ARGV[3]) end\nredis.call('PUBLISH', ARGV[2], frame)",
    replace: "redis.call('PUBLISH', ARGV[2], frame)",
    caughtBy: { file: CHANNEL, test: 'leaves no key that stays for ever' },
  },
  {
    name: 'half-a-collection-shown',
    file: 'src/pubsub/redis/feed-channel.ts',
    find: "    const isComplete = complete === '1';",
    replace: '    const isComplete = complete !== undefined;',
    caughtBy: { file: CHANNEL, test: 'shows nobody a collection that is not complete' },
  },
  {
    name: 'follower-skips-contiguity',
    file: 'src/pubsub/sharing/follower.ts',
    find: ' || batch.from > offset || batch.floor > offset',
    replace: ' || batch.floor > offset',
    caughtBy: { file: FOLLOWER, test: 'reads what it has missed before it goes on' },
  },
  {
    name: 'follower-ignores-lineage',
    file: 'src/pubsub/sharing/follower.ts',
    find: 'epoch === batch.epoch ? Number.POSITIVE_INFINITY : batch.lineage.get(epoch);',
    replace: 'epoch === batch.epoch ? Number.POSITIVE_INFINITY : offset;',
    caughtBy: {
      file: FOLLOWER,
      test: 'does not mix two lines: what another one has at the same offset is no continuation',
    },
  },
  {
    name: 'follower-ignores-the-fence',
    file: 'src/pubsub/sharing/follower.ts',
    find: '    if (batch.fence < this.#fence) {',
    replace: '    if (batch.fence < 0) {',
    caughtBy: { file: FOLLOWER, test: 'takes nothing from a leader whose fence has ended' },
  },
  {
    name: 'batches-during-a-read-lost',
    file: 'src/pubsub/sharing/follower.ts',
    find: '    if (this.#waiting !== undefined) this.#waiting.push(batch);\n    else if',
    replace: '    if (this.#waiting !== undefined) return;\n    if',
    caughtBy: { file: FOLLOWER, test: 'enters what came while it was reading, in order' },
  },
  {
    name: 'follower-goes-back-in-time',
    file: 'src/pubsub/sharing/follower.ts',
    find: '    if (feed.isAheadOf(beside)) {',
    replace: '    if (beside.isAheadOf(beside)) {',
    caughtBy: {
      file: FOLLOWER,
      test: 'goes over to another line only when no object goes back in time by it, or when that takes too long',
    },
  },
  {
    name: 'old-history-shown-as-the-present',
    file: 'src/pubsub/sharing/follower.ts',
    find: 'head === undefined || head.ageMs > STALE_MS',
    replace: 'head === undefined',
    caughtBy: { file: FOLLOWER, test: 'shows nobody what a leader has left long ago' },
  },
  {
    name: 'two-writers-under-one-name',
    file: 'src/pubsub/history.ts',
    find: '    this.#now = { log, epoch: newEpoch(), lineage: new Map(ancestors) };',
    replace: '    this.#now = { log, epoch, lineage: new Map(ancestors) };',
    caughtBy: { file: HISTORY, test: 'does not take for its own what the former writer wrote after it was left' },
  },
  {
    name: 'former-writer-believed-past-the-fork',
    file: 'src/pubsub/history.ts',
    find: '  return until !== undefined && offset <= until;',
    replace: '  return until !== undefined && offset <= chronicle.log.offset;',
    caughtBy: { file: HISTORY, test: 'does not take for its own what the former writer wrote after it was left' },
  },
  {
    name: 'each-replica-watches-for-itself',
    file: 'src/pubsub/sharing/share.ts',
    find: '        const acquired = this.#candidacy.stands ? await channel.acquire() : undefined;',
    replace:
      '        const acquired = this.#candidacy.stands ? { held: true as const, fence: 1, head: undefined } : await channel.acquire();',
    caughtBy: { file: REPLICAS, test: 'carry one list and one watch for 300 viewers on three of them' },
  },
  {
    name: 'redis-there-when-it-answers',
    file: 'src/pubsub/redis/pulse.ts',
    find: "this.#client.set(key, '', 'PX', 1, 'XX')",
    replace: 'this.#client.ping(key)',
    caughtBy: { file: 'test/sharing/refusing-redis.test.ts', test: 'go on alone while it lacks replicas' },
  },
  {
    name: 'vain-takeover-keeps-its-stream',
    file: 'src/pubsub/sharing/share.ts',
    find: '      if (!isLeading) giveBack?.();\n',
    replace: '',
    caughtBy: { file: TAKEOVER, test: 'gives its place among the streams back when it cannot read what is written' },
  },
  {
    name: 'connected-before-the-watch-is',
    file: 'src/pubsub/sharing/own-watch.ts',
    find: "  return { ...nothing, state: 'CONNECTING', since, hops };",
    replace: '  return { ...nothing, state: previous.state, since, hops };',
    caughtBy: { file: TAKEOVER, test: 'does not say CONNECTED before it is, alone' },
  },
];
