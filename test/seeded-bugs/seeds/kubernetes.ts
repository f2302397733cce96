import type { Seed } from '../seed.ts';

const VERSIONS = 'src/kubernetes/resource-version.test.ts';

export const KUBERNETES: readonly Seed[] = [
  {
    name: 'versions-compared-as-numbers',
    file: 'src/kubernetes/resource-version.ts',
    find: '  if (a.length !== b.length) return a.length < b.length ? -1 : 1;\n  return a < b ? -1 : 1;',
    replace: '  if (Number(a) === Number(b)) return 0;\n  return Number(a) < Number(b) ? -1 : 1;',
    caughtBy: { file: VERSIONS, test: 'agrees with the numbers, however long' },
  },
  {
    name: 'versions-compared-as-texts',
    file: 'src/kubernetes/resource-version.ts',
    find: '  if (a.length !== b.length) return a.length < b.length ? -1 : 1;\n',
    replace: '',
    caughtBy: { file: VERSIONS, test: 'agrees with the numbers, however long' },
  },
  {
    name: 'strange-versions-ordered',
    file: 'src/kubernetes/resource-version.ts',
    find: "  if (!REVISION.test(a) || !REVISION.test(b)) return 'unknown';\n",
    replace: '',
    caughtBy: { file: VERSIONS, test: 'never orders what is not a number' },
  },
  {
    name: 'names-may-hold-dots-at-their-ends',
    file: 'src/kubernetes/names.ts',
    find: "const LABEL = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';",
    replace: "const LABEL = '[.a-z0-9](?:[-.a-z0-9]*[.a-z0-9])?';",
    caughtBy: { file: 'src/kubernetes/names.test.ts', test: 'lets pass only what is harmless in a URL' },
  },
  {
    name: 'name-patterns-match-a-part',
    file: 'src/kubernetes/names.ts',
    find: 'pattern: /^[1-9][0-9]{0,17}$/,',
    replace: 'pattern: /^[1-9][0-9]{0,17}/,',
    caughtBy: { file: 'src/kubernetes/names.test.ts', test: 'lets pass only what is harmless in a URL' },
  },
  {
    name: 'managed-fields-kept',
    file: 'src/kubernetes/trim.ts',
    find: 'const { managedFields: _managedFields, selfLink: _selfLink, ...metadata } = raw;',
    replace: 'const { selfLink: _selfLink, ...metadata } = raw;',
    caughtBy: { file: 'src/kubernetes/trim.test.ts', test: 'drops what only kubectl and the API server need' },
  },
  {
    name: 'empty-selector-of-a-service-selects-all',
    file: 'src/kubernetes/label-selector.ts',
    find: '  return requirements.length === 0 ? undefined : requirements;',
    replace: '  return requirements;',
    caughtBy: { file: 'src/kubernetes/label-selector.test.ts', test: '$selector selects as in Kubernetes' },
  },
  {
    name: 'secrets-are-served',
    file: 'src/kubernetes/refused-resources.ts',
    find: "new Set(['secrets', 'configmaps'])",
    replace: "new Set(['configmaps'])",
    caughtBy: { file: 'test/e2e/any-kind.test.ts', test: 'never shows %s' },
  },
  {
    name: 'crash-looks-healthy',
    file: 'src/kubernetes/pod-health.ts',
    find: '  return isServing && !container.ready && (container.lastTermination?.exitCode ?? 0) !== 0;',
    replace: '  return isServing && !container.ready && false;',
    caughtBy: {
      file: 'src/kubernetes/health.test.ts',
      test: 'is DEGRADED while a container is not ready again after a crash',
    },
  },
];
