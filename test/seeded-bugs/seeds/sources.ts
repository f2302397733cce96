import type { Seed } from '../seed.ts';

const FRAMER = 'src/sources/framer.test.ts';

export const SOURCES: readonly Seed[] = [
  {
    name: 'characters-decoded-chunk-by-chunk',
    file: 'src/sources/framer.ts',
    find: 'this.#decode(this.#pieces, bytes, true)',
    replace: 'this.#decode(this.#pieces, bytes, false)',
    caughtBy: { file: FRAMER, test: 'gives the same when every byte comes alone' },
  },
  {
    name: 'parse-errors-swallowed',
    file: 'src/sources/framer.ts',
    find: "      if (result.kind === 'invalid') throw notJson();",
    replace: "      if (result.kind === 'invalid') {\n        this.#scanner = undefined;\n        return;\n      }",
    caughtBy: { file: FRAMER, test: 'is told of %s, with documents before it delivered' },
  },
  {
    name: 'documents-of-any-size',
    file: 'src/sources/framer.ts',
    find: '    if (this.#bytes > MAX_DOCUMENT_BYTES) {',
    replace: '    if (this.#bytes > Number.POSITIVE_INFINITY) {',
    caughtBy: { file: FRAMER, test: 'counts bytes, not characters' },
  },
  {
    name: 'lists-without-end',
    file: 'src/sources/reflector/list.ts',
    find: 'const timer = clock.after(LIST_MS, () => deadline.abort(late));',
    replace: 'const timer = clock.after(LIST_MS, () => void late);',
    caughtBy: {
      file: 'src/sources/reflector/list.test.ts',
      test: 'gives up a list whose pages never end, and frees its place',
    },
  },
  {
    name: 'pages-of-different-states-mixed',
    file: 'src/sources/reflector/list.ts',
    find: '    if (page.resourceVersion !== resourceVersion) {',
    replace: '    if (page.resourceVersion === undefined) {',
    caughtBy: {
      file: 'src/sources/reflector/reflector-contents.test.ts',
      test: 'row 18: pages of different states are no list',
    },
  },
  {
    name: 'budget-of-an-agent-exceeded-by-one',
    file: 'src/sources/agent-budget.ts',
    find: '    if (this.#used >= this.budget) {',
    replace: '    if (this.#used > this.budget) {',
    caughtBy: { file: 'src/sources/agent-budget.test.ts', test: 'are limited' },
  },
  {
    name: 'one-scope-takes-the-whole-budget',
    file: 'src/sources/agent-budget.ts',
    find: '    if (isReserve && held >=',
    replace: '    if (!isReserve && held >=',
    caughtBy: {
      file: 'src/sources/agent-budget.test.ts',
      test: 'are never all for one scope: the last tenth is for those who come later',
    },
  },
  {
    name: 'agent-that-is-away-is-stormed',
    file: 'src/sources/admission.ts',
    find: '    if (this.#isAway && this.#retryAt > this.#clock.monotonic()) return undefined;\n',
    replace: '',
    caughtBy: { file: 'src/sources/admission.test.ts', test: 'is knocked at by one at a time' },
  },
  {
    name: 'log-waits-for-an-answer-for-ever',
    file: 'src/sources/logs/log-follow.ts',
    find: '    this.#patience = clock.after(ANSWER_MS, () => {',
    replace: '    this.#patience = clock.after(Infinity, () => {',
    caughtBy: {
      file: 'src/sources/logs/log-follow.test.ts',
      test: 'takes a request that is not answered for a failure, says so and tries again',
    },
  },
];
