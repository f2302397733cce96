import { parse, visit } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runExamples } from './graphql-examples.ts';
import { startLivingShop, type LivingShop } from './living-shop.ts';
import { blocksOf, read } from './markdown.ts';

/** docs/migration.md: each of GitLab's client-side operations, and after it what takes its place. */

const FILE = 'docs/migration.md';

/** All `@client` fields of GitLab's environment page, of its detailed dashboard, and of earlier versions. */
const CLIENT_SIDE = `
  k8sPods k8sServices k8sDeployments k8sNamespaces k8sEvents k8sLogs k8sPodLogsWatcher k8sConnection
  fluxKustomization fluxHelmRelease fluxKustomizations fluxHelmReleases discoverFluxKustomizations
  discoverFluxHelmReleases deleteKubernetesPod updateFluxResource reconnectToCluster abortK8sPodLogsStream
  k8sDashboardPods k8sDashboardServices k8sDashboardDeployments k8sStatefulSets k8sReplicaSets k8sDaemonSets
  k8sJobs k8sCronJobs k8sWorkloads fluxKustomizationStatus fluxHelmReleaseStatus
`
  .trim()
  .split(/\s+/);

let shop: LivingShop;

beforeAll(async () => {
  shop = await startLivingShop();
});

afterAll(() => shop.stop());

describe('with Kascade', () => {
  runExamples(FILE, () => shop.whole);
});

describe("GitLab's operations", () => {
  it('are all there, and nothing else', () => {
    expect(blocksOf(FILE, 'graphql gitlab').flatMap(clientFields).toSorted()).toEqual(CLIENT_SIDE.toSorted());
  });

  it('are each followed by what takes their place', () => {
    const kinds = Array.from(
      read(FILE).matchAll(/^```graphql (gitlab|run)$|^(###?) /gm),
      ([, kind]) => kind ?? 'heading',
    );
    const lonely = kinds.filter((kind, index) => {
      const next = kinds.slice(index + 1).find((each) => each !== 'gitlab');
      return kind === 'gitlab' && next !== 'run';
    });
    expect(lonely).toEqual([]);
  });
});

/** The fields of a document that are resolved in the browser. */
function clientFields(document: string): string[] {
  const fields: string[] = [];
  visit(parse(document), {
    Field: ({ name, directives = [] }) => {
      if (directives.some((directive) => directive.name.value === 'client')) fields.push(name.value);
    },
  });
  return fields;
}
