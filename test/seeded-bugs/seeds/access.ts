import type { Seed } from '../seed.ts';

const RIGHTS = 'test/rights/reviews.test.ts';
const CACHE = 'src/access/review-cache.test.ts';
const REVIEWS = 'src/access/reviews.test.ts';
const LIMITS = 'test/rights/limits.test.ts';

export const ACCESS: readonly Seed[] = [
  {
    name: 'nobody-is-checked',
    file: 'src/access/entrance.ts',
    find: '    if (!(await this.mayView(viewer, wanted))) throw await this.#denied(viewer, wanted);\n',
    replace: '    if (!(await this.mayView(viewer, wanted))) await this.#denied(viewer, wanted);\n',
    caughtBy: {
      file: RIGHTS,
      test: 'checks each of a hundred who wait for one cold feed, and keeps out the one who may not look',
    },
  },
  {
    name: 'resume-without-a-review',
    file: 'src/access/gate.ts',
    find: '      const attachment = await this.attach(viewer, key);\n',
    replace:
      '      const isBack = options.resume !== undefined;\n      const attachment = isBack ? this.#entrance.join(viewer, key) : await this.attach(viewer, key);\n',
    caughtBy: {
      file: 'test/rights/clients.test.ts',
      test: 'K3: a cursor lets nobody in, and one that cannot be used is answered by a snapshot that says why',
    },
  },
  {
    name: 'list-is-enough-to-watch',
    file: 'src/access/permissions.ts',
    find: "const VIEW_VERBS = ['list', 'watch'] as const;",
    replace: "const VIEW_VERBS = ['list'] as const;",
    caughtBy: { file: RIGHTS, test: 'lets nobody look who may %s and nothing else' },
  },
  {
    name: 'one-allowed-verb-is-enough',
    file: 'src/access/permissions.ts',
    find: 'Promise.all(answers))).every(Boolean);',
    replace: 'Promise.all(answers))).some(Boolean);',
    caughtBy: {
      file: 'test/rights/reviews.test.ts',
      test: 'lets nobody look who may %s and nothing else',
    },
  },
  {
    name: 'identity-sharing-shares',
    file: 'src/access/entrance.ts',
    find: "const key = sharing === 'identity' ? { ...wanted, identity: viewer.id } : wanted;",
    replace: "const key = sharing === 'identity' ? { ...wanted } : wanted;",
    caughtBy: {
      file: 'test/rights/identity.test.ts',
      test: 'gives each viewer a feed of their own, opened by themselves, and none sees what is on the other',
    },
  },
  {
    name: 'answers-for-one-given-to-another',
    file: 'src/access/reviews.ts',
    find: '    viewer.id,\n    agentId,\n',
    replace: '    agentId,\n',
    caughtBy: { file: REVIEWS, test: 'asks for each viewer, with the credentials of that viewer' },
  },
  {
    name: 'failed-review-lets-in',
    file: 'src/access/reviews.ts',
    find: "(result.status === 'fulfilled' ? result.value : asError(result.reason))",
    replace: "(result.status === 'fulfilled' ? result.value : asError(result.reason) instanceof Error)",
    caughtBy: {
      file: REVIEWS,
      test: 'lets no question that cannot be answered take others with it, and asks it again',
    },
  },
  {
    name: 'reviews-used-for-ever',
    file: 'src/access/review-cache.ts',
    find: 'answer?.expiresAt === undefined || answer.expiresAt > this.#clock.monotonic()',
    replace: 'answer?.expiresAt === undefined || answer.expiresAt > 0',
    caughtBy: { file: CACHE, test: 'uses a permission for a minute, more or less, and a denial for ten seconds' },
  },
  {
    name: 'reviews-count-from-their-answer',
    file: 'src/access/review-cache.ts',
    find: 'answer.expiresAt = answer.askedAt + this.#lifetime(allowed);',
    replace: 'answer.expiresAt = this.#clock.monotonic() + this.#lifetime(allowed);',
    caughtBy: { file: CACHE, test: 'counts from the question, not from the answer' },
  },
  {
    name: 'reviews-without-bound',
    file: 'src/access/review-cache.ts',
    find: '  if (map.size <= MAX_REVIEWS) return;',
    replace: '  if (map.size > 0) return;',
    caughtBy: { file: CACHE, test: 'forgets the oldest when there are too many' },
  },
  {
    name: 'rights-never-asked-about-again',
    file: 'src/access/rights.ts',
    find: '    this.#schedule(id, held, this.#options.dueInMs(viewer, key));\n    return held;',
    replace: '    return held;',
    caughtBy: {
      file: RIGHTS,
      test: 'asks again in the background, and ends a view within the life of an answer after the right was taken',
    },
  },
  {
    name: 'grace-without-end',
    file: 'src/access/rights.ts',
    find: 'if (clock.monotonic() - held.confirmedAt >= GRACE_MS)',
    replace: 'if (clock.monotonic() - held.confirmedAt >= GRACE_MS * 1_000)',
    caughtBy: { file: RIGHTS, test: 'is no denial: the view goes on, for at most five minutes' },
  },
  {
    name: 'deliveries-after-revocation',
    file: 'src/access/gate.ts',
    find: '    this.#views.endFeed(viewer, key, error);\n',
    replace: '',
    caughtBy: {
      file: RIGHTS,
      test: 'asks again in the background, and ends a view within the life of an answer after the right was taken',
    },
  },
  {
    name: 'signing-out-goes-unnoticed',
    file: 'src/access/viewer-calls.ts',
    find: "    if (error.failure === 'gitlabUnauthorized' || error.failure === 'unauthorized') {",
    replace: "    if (error.failure === 'unauthorized') {",
    caughtBy: {
      file: RIGHTS,
      test: 'on any call ends all that stands on those credentials at once, and what was answered to them counts no more',
    },
  },
  {
    name: 'one-cluster-signs-out-of-all',
    file: 'src/access/live-views.ts',
    find: 'this.#end(viewer, error, (scope) => scope.agentId === agentId)',
    replace: 'this.#end(viewer, error, () => agentId !== undefined)',
    caughtBy: { file: RIGHTS, test: 'of one cluster ends what comes from there, and nothing else' },
  },
  {
    name: 'lingering-feeds-not-counted',
    file: 'src/access/quota.ts',
    find: 'const until = clock.monotonic() + lingerMs;',
    replace: 'const until = clock.monotonic();',
    caughtBy: {
      file: LIMITS,
      test: 'MAX_FEEDS_PER_VIEWER counts what was left as long as it lingers, whatever form the token has',
    },
  },
  {
    name: 'subscriptions-never-given-back',
    file: 'src/access/quota.ts',
    find: '      usage.subscriptions -= 1;\n',
    replace: '',
    caughtBy: {
      file: 'src/access/quota.test.ts',
      test: 'counts the subscriptions of a viewer, and no longer those that ended',
    },
  },
  {
    name: 'cookie-without-csrf-token',
    file: 'src/access/credentials.ts',
    find: '  if (cookie === undefined || sent.csrfToken === undefined) return undefined;',
    replace:
      "  if (cookie === undefined) return undefined;\n  if (sent.csrfToken === undefined) return { kind: 'cookie', cookie, csrfToken: '' };",
    caughtBy: { file: 'test/rights/door.test.ts', test: 'for a request, an event stream, or a connection' },
  },
  {
    name: 'acts-on-another-object-of-the-name',
    file: 'src/access/actions.ts',
    find: '  if (uid === undefined || uid === found) return;',
    replace: "  if (uid === undefined || found !== '') return;",
    caughtBy: {
      file: 'test/e2e/actions.test.ts',
      test: 'refuses other kinds, another object of the name, and what is paused',
    },
  },
  {
    name: 'changes-not-audited',
    file: 'src/access/viewer-calls.ts',
    find: '      journal.mutated(viewer, key, verb, name);\n',
    replace: '',
    caughtBy: { file: 'test/rights/audit.test.ts', test: 'has each mutation, with what became of it' },
  },
];
