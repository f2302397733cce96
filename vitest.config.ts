import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  // graphql 17 has a "development" export that vite picks and node does not: without this line there are two copies of it.
  ssr: { resolve: { conditions: ['module-sync', 'node'] } },
  test: {
    include: ['src/**/*.test.ts', 'demo/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: [
      ...configDefaults.exclude,
      // The chart is checked with Helm's and Kubernetes' own Go code, which takes minutes to build: npm run test:deploy.
      ...(process.env['KASCADE_TEST_DEPLOY'] === undefined ? ['test/deploy/**'] : []),
      // So does a real API server: npm run conformance.
      ...(process.env['KASCADE_TEST_APISERVER'] === undefined ? ['test/conformance/real/**'] : []),
    ],
    // Against what hangs. What must happen within a bound says so itself, where it waits.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // One more than a small machine has cores: most of these tests wait most of the time.
    maxWorkers: 3,
    // It is written for bundlers: its imports have no extensions.
    server: { deps: { inline: ['@gitlab/cluster-client'] } },
  },
});
