import type { Seed } from '../seed.ts';

const PATHS = 'src/sources/apiserver/paths.test.ts';
const CLIENTS = 'test/e2e/clients.test.ts';

export const APISERVER: readonly Seed[] = [
  {
    name: 'path-traversal-not-checked',
    file: 'src/sources/apiserver/paths.ts',
    find: "  if (url.pathname !== path) throw new Error('A URL path would not be what was meant; nothing was sent.');\n",
    replace: '',
    caughtBy: { file: PATHS, test: 'makes no URL but the one of its segments: %j %j %j' },
  },
  {
    name: 'names-not-checked-on-the-way-out',
    file: 'src/sources/apiserver/paths.ts',
    find: 'segments.push(checkName(name))',
    replace: 'segments.push(name)',
    caughtBy: { file: PATHS, test: 'refuses a name that is none: %j' },
  },
  {
    name: 'deletes-whatever-has-the-name',
    file: 'src/sources/apiserver/caller.ts',
    find: "        ...(uid !== undefined && { body: { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid } } }),\n",
    replace: "        ...(uid !== undefined && { body: { kind: 'DeleteOptions', apiVersion: 'v1' } }),\n",
    caughtBy: { file: CLIENTS, test: 'deletes a pod only if it is still the one that was meant' },
  },
  {
    name: 'signed-out-taken-for-refused-by-the-cluster',
    file: 'src/sources/apiserver/error-map.ts',
    find: '      if (refusal.gitlabUnauthorized) {',
    replace: '      if (!refusal.gitlabUnauthorized) {',
    caughtBy: {
      file: CLIENTS,
      test: 'answers an agent that GitLab does not share, and a refused token, with GITLAB_UNAUTHORIZED',
    },
  },
];
