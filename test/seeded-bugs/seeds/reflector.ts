import type { Seed } from '../seed.ts';

const REFLECTOR = 'src/sources/reflector/reflector.test.ts';
const CONTENTS = 'src/sources/reflector/reflector-contents.test.ts';
const SESSION = 'src/sources/reflector/watch-session.test.ts';

export const REFLECTOR_SEEDS: readonly Seed[] = [
  {
    name: 'no-list-after-410',
    file: 'src/sources/reflector/policy.ts',
    find: "        return { to: 'list', consistent: false, wait: AT_ONCE, why: 'version expired' };",
    replace: "        return { to: 'watch', wait: backoff(error), why: 'version expired' };",
    caughtBy: {
      file: REFLECTOR,
      test: '%s: 410 %s leads to a list at least as new, and then to a difference',
    },
  },
  {
    name: 'stale-cache-trusted-after-the-second-410',
    file: 'src/sources/reflector/policy.ts',
    find: "        if (this.#expired > 1) return { to: 'list', consistent: true, wait: backoff(error), why: 'expired again' };\n",
    replace: '',
    caughtBy: { file: REFLECTOR, test: 'rows 6, 7: 410 again leads to the most recent state' },
  },
  {
    name: 'empty-closes-believed-for-ever',
    file: 'src/sources/reflector/policy.ts',
    find: "    if (this.#emptyCloses < 2) return { to: 'watch', wait: backoff(), why: 'stream ended at once' };",
    replace: "    if (this.#emptyCloses > 0) return { to: 'watch', wait: backoff(), why: 'stream ended at once' };",
    caughtBy: {
      file: REFLECTOR,
      test: 'row 3: empty closes are answered with patience first, and with a consistent list when they repeat',
    },
  },
  {
    name: 'bookmarks-forgotten',
    file: 'src/sources/reflector/reflector.ts',
    find: '        this.#advance(event.resourceVersion);\n',
    replace: '',
    caughtBy: {
      file: CONTENTS,
      test: 'row 17: a bookmark moves the version on and proves freshness, and nobody is told',
    },
  },
  {
    name: 'repeats-take-the-watch-back',
    file: 'src/sources/reflector/reflector.ts',
    find: '    if (known !== undefined && compareResourceVersions(resourceVersion, known) === -1) return;\n',
    replace: '',
    caughtBy: { file: CONTENTS, test: 'row 20: a repeat does not take the watch back to where it came from' },
  },
  {
    name: 'rewritten-history-taken-for-the-old-one',
    file: 'src/sources/reflector/reflector.ts',
    find: "      this.#sink.replace(objects, resourceVersion, lost ? 'lost' : 'kept');",
    replace: "      this.#sink.replace(objects, resourceVersion, 'kept');",
    caughtBy: {
      file: REFLECTOR,
      test: 'row 8: a most recent state that is older than what is known starts a new epoch',
    },
  },
  {
    name: 'retry-after-ignored',
    file: 'src/sources/reflector/backoff.ts',
    find: '    return Math.max(floorMs, Math.floor(this.#clock.random() * bound));',
    replace: '    return Math.floor(this.#clock.random() * (bound + 0 * floorMs));',
    caughtBy: {
      file: 'src/sources/reflector/backoff.test.ts',
      test: 'is never less than what the server asks for, even beyond the cap',
    },
  },
  {
    name: 'back-without-jitter',
    file: 'src/sources/reflector/backoff.ts',
    find: 'Math.floor(this.#clock.random() * bound)',
    replace: 'bound',
    caughtBy: { file: 'src/sources/reflector/backoff.test.ts', test: 'uses the whole of the range' },
  },
  {
    name: 'stopped-reflector-still-writes',
    file: 'src/sources/reflector/guarded-sink.ts',
    find: '    if (this.#life.aborted) return;\n',
    replace: '',
    caughtBy: {
      file: 'src/sources/reflector/reflector-life.test.ts',
      test: 'by the sink, in the middle of a call, opens nothing more, and tells it nothing more',
    },
  },
  {
    name: 'silence-taken-for-health',
    file: 'src/sources/reflector/watch-session.ts',
    find: 'this.#silence = this.#after(patience, () => this.#doubt());',
    replace: 'this.#silence = this.#after(patience, () => this.#heard());',
    caughtBy: { file: SESSION, test: 'row 16: is doubted after two minutes, and another is opened beside it' },
  },
  {
    name: 'connected-though-in-doubt',
    file: 'src/sources/reflector/status-reporter.ts',
    find: "  suspected(): void {\n    this.#report('CONNECTING', {});",
    replace: "  suspected(): void {\n    this.#report('CONNECTED', {});",
    caughtBy: {
      file: SESSION,
      test: 'says that it is not connected while the old stream is gone and the new one not there',
    },
  },
  {
    name: 'connected-by-a-list-alone',
    file: 'src/sources/reflector/status-reporter.ts',
    find: "  listed(): void {\n    this.#fault = undefined;\n    this.#report('CONNECTING', {});",
    replace: "  listed(): void {\n    this.#fault = undefined;\n    this.#report('CONNECTED', {});",
    caughtBy: { file: REFLECTOR, test: 'row 1: an empty collection is an answer' },
  },
  {
    name: 'break-before-make',
    file: 'src/sources/reflector/watch-session.ts',
    find: '      this.#dismissHedge(); // it may have been opened with the donor before',
    replace: '      if (this.#primary !== undefined) closeStream(this.#primary);',
    caughtBy: { file: SESSION, test: 'opens the new stream before it closes the old one' },
  },
];
