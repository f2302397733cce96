import type { Seed } from '../seed.ts';

const MESSAGES = 'src/sources/kas/aggregated/messages.test.ts';
const ACCEPTANCE = 'src/sources/kas/aggregated/acceptance.test.ts';
const GUARD = 'src/sources/kas/replay-guard.test.ts';
const CHOOSER = 'src/sources/kas/transport-chooser.test.ts';

export const KAS: readonly Seed[] = [
  {
    name: 'token-sent-to-another-agent',
    file: 'src/sources/kas/auth.ts',
    find: '  if (credentials.agentId !== undefined && credentials.agentId !== agentId) {',
    replace: '  if (credentials.agentId !== undefined && agentId === undefined) {',
    caughtBy: {
      file: 'test/e2e/clients.test.ts',
      test: 'asks those for credentials who bring none, and refuses a token for another agent without asking KAS',
    },
  },
  {
    name: 'mutation-tried-twice',
    file: 'src/access/viewer-calls.ts',
    find: '      const result = await this.#call(viewer, key.agentId, call);\n      journal.mutated',
    replace:
      '      const result = await this.#call(viewer, key.agentId, call).catch(() => this.#call(viewer, key.agentId, call));\n      journal.mutated',
    caughtBy: { file: 'test/e2e/actions.test.ts', test: 'is never tried twice' },
  },
  {
    name: 'watch-in-camel-case',
    file: 'src/sources/kas/aggregated/messages.ts',
    find: '      resource_version: request.resourceVersion,',
    replace: '      resourceVersion: request.resourceVersion,',
    caughtBy: { file: MESSAGES, test: 'is snake_case at every level, with nothing for what is left out' },
  },
  {
    name: 'bookmarks-not-asked-for',
    file: 'src/sources/kas/aggregated/messages.ts',
    find: '      allow_watch_bookmarks: true,\n',
    replace: '',
    caughtBy: { file: MESSAGES, test: 'is snake_case at every level, with nothing for what is left out' },
  },
  {
    name: 'connected-because-kas-has-read-it',
    file: 'src/sources/kas/aggregated/acceptance.ts',
    find: 'answersDue: isDoubtful ? 3 : 2',
    replace: 'answersDue: isDoubtful ? 2 : 1',
    caughtBy: {
      file: ACCEPTANCE,
      test: 'is accepted when KAS has read it and then the cluster has answered twice',
    },
  },
  {
    name: 'accepted-by-an-earlier-answer',
    file: 'src/sources/kas/aggregated/acceptance.ts',
    find: '      if (!asked.isProbed) continue;\n',
    replace: '',
    caughtBy: {
      file: ACCEPTANCE,
      test: 'is not accepted by a pong or an answer to a question from before it was sent',
    },
  },
  {
    name: 'unknown-messages-end-the-socket',
    file: 'src/sources/kas/aggregated/socket.ts',
    find: '      this.#options.onIgnored(); // unknown to us, or late for a watch that has been given up\n',
    replace: "      this.#died(new UpstreamError('malformed', 'unknown message'));\n",
    caughtBy: {
      file: 'test/conformance/aggregated-faults.test.ts',
      test: 'ignores messages of unknown types, with unknown fields, and for unknown watches',
    },
  },
  {
    name: 'replayed-objects-passed-on',
    file: 'src/sources/kas/replay-guard.ts',
    find: "    if (order === -1 || (order === 0 && event.type !== 'BOOKMARK')) return;\n",
    replace: '    if (order === undefined) return;\n',
    caughtBy: { file: GUARD, test: 'is listed; only the difference and what comes after is passed on' },
  },
  {
    name: 'vanished-before-the-watch-kept-for-ever',
    file: 'src/sources/kas/replay-guard.ts',
    find: '    if (present.has(uid) || compareResourceVersions(resourceVersion, version) === 1) continue;',
    replace: '    if (present.has(uid) || compareResourceVersions(resourceVersion, version) !== 1) continue;',
    caughtBy: {
      file: 'test/conformance/aggregated-faults.test.ts',
      test: 'does not keep what vanished between the list and the watch',
    },
  },
  {
    name: 'no-way-back-to-the-websocket',
    file: 'src/sources/kas/transport-chooser.ts',
    find: '    for (const mover of this.#movers) if (mover.isOnHttp()) mover.renew();\n',
    replace: '',
    caughtBy: {
      file: CHOOSER,
      test: 'moves the others, and only those that are on HTTP, when the try works',
    },
  },
  {
    name: 'one-failure-counted-for-each-watch',
    file: 'src/sources/kas/transport-chooser.ts',
    find: "        if (era === this.#era && this.#mode === 'auto') this.#failed();",
    replace: "        if (this.#mode === 'auto') this.#failed();",
    caughtBy: {
      file: CHOOSER,
      test: 'counts the failure of one WebSocket once, however many watches were on it',
    },
  },
  {
    name: 'cluster-speaks-for-gitlab',
    file: 'src/sources/kas/kas.ts',
    find: ' && headers.via === undefined',
    replace: '',
    caughtBy: {
      file: 'test/rights/reviews.test.ts',
      test: 'of a cluster that pretends to be GitLab does no more',
    },
  },
];
