import type { Seed } from '../seed.ts';

const HTTP = 'src/transport/http.test.ts';
const LIMITS = 'src/transport/limits.test.ts';
const GROUP = 'test/fanout/group.test.ts';
const KEY = 'test/fanout/key.test.ts';
const PEERS = 'src/transport/websocket-peers.test.ts';
const REFUSALS = 'src/transport/websocket-refusals.test.ts';

export const TRANSPORT: readonly Seed[] = [
  {
    name: 'origin-not-checked',
    file: 'src/transport/door.ts',
    find: '  return allowedOrigins.length > 0 ? allowedOrigins.includes(origin) : isSameOrigin(origin, headers.host);',
    replace: '  return allowedOrigins.length > 0 || !isSameOrigin(origin, headers.host) || true;',
    caughtBy: { file: HTTP, test: 'only allowed origins, compared exactly, may speak to us' },
  },
  {
    name: 'origin-compared-by-its-beginning',
    file: 'src/transport/door.ts',
    find: 'allowedOrigins.includes(origin)',
    replace: 'allowedOrigins.some((allowed) => origin.startsWith(allowed))',
    caughtBy: { file: HTTP, test: 'only allowed origins, compared exactly, may speak to us' },
  },
  {
    name: 'upgrades-from-any-origin',
    file: 'src/transport/websocket.ts',
    find: 'refusedAtDoor(request.headers, this.#options)',
    replace: 'refusedAtDoor({ ...request.headers, origin: undefined }, this.#options)',
    caughtBy: {
      file: REFUSALS,
      test: 'a wrong origin, path or too many from one address are refused before the upgrade',
    },
  },
  {
    name: 'fragments-hide-depth',
    file: 'src/transport/limits.ts',
    find: '    total.depth = Math.max(total.depth, below + inside.depth);\n',
    replace: '    total.depth = Math.max(total.depth, below);\n',
    caughtBy: { file: LIMITS, test: 'depth goes through fragments' },
  },
  {
    name: 'aliases-of-a-fragment-counted-once',
    file: 'src/transport/limits.ts',
    find: '    total.aliases += inside.aliases;\n',
    replace: '    total.aliases = Math.max(total.aliases, inside.aliases);\n',
    caughtBy: { file: LIMITS, test: 'aliases count as often as their fragment is spread' },
  },
  {
    name: 'documents-of-any-length',
    file: 'src/transport/document.ts',
    find: 'parse(source, { ...options, maxTokens })',
    replace: 'parse(source, { ...options })',
    caughtBy: { file: LIMITS, test: 'more tokens than allowed are LIMIT_EXCEEDED before anything else is looked at' },
  },
  {
    name: 'comparisons-counted-for-nothing',
    file: 'src/transport/document.ts',
    find: '  if (count <= most) return [];',
    replace: '  if (count >= 0) return [];',
    caughtBy: {
      file: LIMITS,
      test: 'a field that is repeated is refused before all others are compared with each other, also through fragments',
    },
  },
  {
    name: 'fragments-that-exhaust-the-stack',
    file: 'src/transport/document.ts',
    find: 'const early = cycles.length > 0 ? cycles : ',
    replace: 'const early = cycles.length < 0 ? cycles : ',
    caughtBy: { file: LIMITS, test: 'many fragments that contain each other are refused, and exhaust no stack' },
  },
  {
    name: 'remembered-errors-hold-their-sender',
    file: 'src/transport/document.ts',
    find: '  error.stack = `${error.name}: ${message}`;\n',
    replace: '',
    caughtBy: {
      file: 'src/transport/document.test.ts',
      test: 'the errors of a document, which are remembered with it, hold nothing of who sent it',
    },
  },
  {
    name: 'subscriptions-streamed-by-yoga',
    file: 'src/transport/execution.ts',
    find: 'recorded(args, () => ({ errors: [notAStream()] }))',
    replace: 'recorded(args, () => subscribeAlone(args))',
    caughtBy: {
      file: 'src/transport/sse.test.ts',
      test: 'who accepts only %s is told so, and nothing is opened',
    },
  },
  {
    name: 'bodies-of-any-size',
    file: 'src/transport/body.ts',
    find: '    if (length > limit) throw new BodyTooLarge();\n',
    replace: '',
    caughtBy: {
      file: HTTP,
      test: 'a body over MAX_BODY_BYTES is refused, whether it says its length or not',
    },
  },
  {
    name: 'operations-never-given-back',
    file: 'src/transport/protocol.ts',
    find: '      extra.operations -= 1;\n',
    replace: '',
    caughtBy: {
      file: REFUSALS,
      test: 'operations over the limit are LIMIT_EXCEEDED; the socket stays, and places are given back',
    },
  },
  {
    name: 'too-many-sockets-closed-for-good',
    file: 'src/transport/protocol.ts',
    find: "  extra.close(1013, 'Too many connections');",
    replace: "  extra.close(4429, 'Too many connections');",
    caughtBy: {
      file: REFUSALS,
      test: 'sockets of a viewer are limited with 1013, which clients retry; other viewers are not concerned',
    },
  },
  {
    name: 'stuck-readers-kept',
    file: 'src/transport/reader-watch.ts',
    find: '    return now - this.#since >= STUCK_MS;\n',
    replace: '    return now - this.#since >= STUCK_MS * 1_000;\n',
    caughtBy: {
      file: PEERS,
      test: 'a reader that takes nothing for 30 s is closed with 1013; a slow one and an idle one are not',
    },
  },
  {
    name: 'complete-waits-for-an-idle-source',
    file: 'src/transport/live.ts',
    find: '      const step = await Promise.race([iterator.next(), endedMeanwhile]);',
    replace: '      const step = await Promise.race([iterator.next(), endedMeanwhile.then(() => iterator.next())]);',
    caughtBy: {
      file: 'src/transport/live.test.ts',
      test: 'return() settles a pending next() at once, and asks the source once',
    },
  },
  {
    name: 'messages-overtaken-by-the-loss-of-a-right',
    file: 'src/transport/fanout/late-results.ts',
    find: 'step.done !== true && hasFailed(source)',
    replace: 'step.done === true && hasFailed(source)',
    caughtBy: {
      file: 'src/transport/fanout/late-results.test.ts',
      test: 'a result of %s that a revocation has overtaken is not sent: the revocation is',
    },
  },
  {
    name: 'written-to-after-the-end',
    file: 'src/transport/fanout/group.ts',
    find: '    if (!member.isActive) return false;\n',
    replace: '',
    caughtBy: { file: GROUP, test: 'writes nothing to one that is ended while it joins' },
  },
  {
    name: 'slow-members-lose-messages',
    file: 'src/transport/fanout/group.ts',
    find: '      else if (from !== undefined) this.#fallBehind(member, from);\n',
    replace: '',
    caughtBy: { file: GROUP, test: 'skips who is not free, and catches them up with one message when they are' },
  },
  {
    name: 'places-told-by-their-offsets',
    file: 'src/transport/fanout/group.ts',
    find: 'reading: (before?.reading ?? 0) + 1 }',
    replace: 'reading: revision.offset }',
    caughtBy: {
      file: 'test/fanout/crossing.test.ts',
      test: 'gets what is new on that line, though its offsets are lower: %s',
    },
  },
  {
    name: 'digests-of-the-removed-kept',
    file: 'src/transport/fanout/set-renderer.ts',
    find: '    for (const uid of update.removed) this.#shown.delete(uid);\n',
    replace: '',
    caughtBy: {
      file: GROUP,
      test: 'sends a pod that came back under the filter, though it looks as it did before it left',
    },
  },
  {
    name: 'shapes-without-their-variables',
    file: 'src/transport/fanout/shape.ts',
    find: '    variables.toSorted(([a], [b]) => (a < b ? -1 : 1)),\n',
    replace: '    variables.length,\n',
    caughtBy: {
      file: KEY,
      test: 'is the same exactly when everybody wants the same, however they begin and write it',
    },
  },
  {
    name: 'shapes-without-their-filter',
    file: 'src/transport/fanout/shape.ts',
    find: '    live.options.filter?.key ?? null,\n',
    replace: "    live.options.filter?.key === '' ? '' : null,\n",
    caughtBy: { file: KEY, test: 'tells the operations of one document apart, and filters of one text' },
  },
  {
    name: 'personal-answers-shared',
    file: 'src/transport/fanout/shape.ts',
    find: '    if ((field?.resolve?.length ?? 0) >= CONTEXT_PARAMETER) answer = false;',
    replace: '    if ((field?.resolve?.length ?? 0) > CONTEXT_PARAMETER + 1) answer = false;',
    caughtBy: { file: KEY, test: 'is nothing whose resolver takes the context' },
  },
  {
    name: 'selections-with-typename-not-shared',
    file: 'src/transport/fanout/shape.ts',
    find: "    if (field?.name === '__typename') return;\n",
    replace: '',
    caughtBy: { file: KEY, test: 'is what asks for `__typename`, as clients with a cache do everywhere' },
  },
  {
    name: 'sources-kept-when-sharing-fails',
    file: 'src/transport/fanout/subscribe.ts',
    find: '    await source[Symbol.asyncIterator]().return?.();',
    replace: '    await Promise.resolve();',
    caughtBy: {
      file: 'src/transport/fanout/subscribe.test.ts',
      test: 'what is opened is let go of when sharing it fails',
    },
  },
  {
    name: 'torn-off-clients-taken-for-defects',
    file: 'src/transport/socket-connection.ts',
    find: '(error) => resolve(error ? this.gone() : undefined)',
    replace: '(error) => resolve(error ? Promise.reject(error) : undefined)',
    caughtBy: { file: PEERS, test: 'a client that is torn off in the middle of a message is no defect' },
  },
];
