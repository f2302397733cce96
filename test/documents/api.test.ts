import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TROUBLE } from '../../demo/cluster/pod-run.ts';
import { examplesOf, runExamples } from './graphql-examples.ts';
import { startLivingShop, type LivingShop } from './living-shop.ts';
import { blocksOf, read } from './markdown.ts';
import { pause } from '../support/eventually.ts';

/** The examples of docs/api.md, run against the living cluster of the demo. */

const FILE = 'docs/api.md';
const TEXT = read(FILE);
/** All that GitLab's dashboard has, and that its issues ask for. */
const FEATURES = [
  'pods, by namespace or all',
  'services',
  'HelmRelease and Kustomization by path',
  'Flux pickers, version discovery',
  'namespaces',
  'deployments',
  'details as YAML',
  'events of an object, live',
  'logs, by container, live',
  'stopping a log',
  'deleting a pod',
  'Flux: reconcile, suspend, resume',
  'connection status',
  'reconnecting',
  'live lists',
  'one connection for many watches',
  'ending watches nobody needs',
  'fallback of the transport',
  'nothing missed, 410, relisting',
  'showing none',
  'one watch for all users',
  'rights, agent or user',
  'eight kinds with filter and order',
  'more kinds',
  'errors in words',
  'expired sign-in',
  'health of an environment',
  'Kustomization to workloads',
  'search, filter, paging',
  'age and derived fields',
  'data through the agent, in real time',
  'events of a namespace, pushed',
  'a cache with low latency',
  'discovery of components',
  'PromQL',
  'drift',
  'preview of changes',
  'live diff',
  'applications',
  'more GitOps',
  'connectivity and version of the agent',
];

let shop: LivingShop;

beforeAll(async () => {
  shop = await startLivingShop();
});

afterAll(() => shop.stop());

describe('docs/api.md', () => {
  runExamples(FILE, () => shop.whole);

  it('runs every example', () => {
    expect(blocksOf(FILE, 'graphql[^\\n]*')).toHaveLength(examplesOf(FILE).length);
  });
});

describe("GitLab's features", () => {
  const rows = Array.from(
    sectionOf('gitlabs-dashboard-feature-by-feature').matchAll(/^\| ([^|]+) \|([^|]*)\| \[[^|]*\]\(#([\w-]+)\) \|$/gm),
    ([, feature = '', here = '', anchor = '']) => ({ feature, here, anchor }),
  );

  it('are all there', () => {
    expect(rows.map(({ feature }) => feature)).toEqual(FEATURES);
  });

  it.each(rows)('$feature has an example that is run', ({ here, anchor }) => {
    const examples = Array.from(sectionOf(anchor).matchAll(/^```graphql run\n(.*?)^```$/gms), ([text]) => text);
    const names = Array.from(here.matchAll(/`([a-z]\w+)`/g), ([, name]) => name);
    expect(names.some((name) => examples.some((text) => new RegExp(`\\b${name}\\b`).test(text)))).toBe(true);
  });
});

describe('the living cluster', () => {
  it('is told as its controllers have it', async () => {
    const { data } = await shop.whole.ask<{
      deployments: { nodes: Deployment[] };
      kustomization: { inventoryHealth: object };
    }>(`{
      deployments: k8sDeployments(agentId: "1", namespace: "shop") {
        nodes { metadata { name } health { level } rollout { verdict blockedBy { reason } } pods { owner { metadata { name } } } }
      }
      kustomization: fluxKustomization(agentId: "1", namespace: "shop", name: "shop") { inventoryHealth { total unseen } }
    }`);
    const found = Object.fromEntries(data?.deployments.nodes.map((node) => [node.metadata.name, node]) ?? []);
    expect(found['web']).toMatchObject({
      health: { level: 'HEALTHY' },
      rollout: { verdict: 'COMPLETE', blockedBy: [] },
    });
    expect(found['web']?.pods.map(({ owner }) => owner?.metadata.name)).toEqual(['web', 'web', 'web']);
    expect(data?.kustomization.inventoryHealth).toEqual({ total: 5, unseen: 0 });
  });

  it('says which pod holds a rollout up, and why', async () => {
    const { store } = shop.whole;
    const template = { spec: { template: { metadata: { annotations: { [TROUBLE]: 'image' } } } } };
    store.patch('deployments', 'shop', 'search', template);
    let rollout: Partial<Rollout> = {};
    for (let tries = 0; tries < 200 && !rollout.blockedBy?.some(({ reason }) => /image/i.test(reason)); tries += 1) {
      await pause(20);
      const { data } = await shop.whole.ask<{ k8sDeployment: { rollout: Rollout } }>(
        '{ k8sDeployment(agentId: "1", namespace: "shop", name: "search") { rollout { verdict blockedBy { podName reason } } } }',
      );
      rollout = data?.k8sDeployment.rollout ?? {};
    }
    expect(rollout.verdict).toBe('PROGRESSING');
    expect(rollout.blockedBy).toMatchObject([{ podName: expect.stringMatching(/^search-/) as string }]);
  });
});

interface Rollout {
  readonly verdict: string;
  readonly blockedBy: readonly { readonly podName: string; readonly reason: string }[];
}

interface Deployment {
  readonly metadata: { readonly name: string };
  readonly health: object;
  readonly rollout: object;
  readonly pods: { readonly owner: { readonly metadata: { readonly name: string } } | null }[];
}

/** What is below a heading, with the smaller headings in it. */
function sectionOf(anchor: string): string {
  const headings = Array.from(TEXT.matchAll(/^(#+) (.*)$/gm));
  const at = headings.findIndex(([, , title = '']) => anchor === anchorOf(title));
  const level = headings[at]?.[1]?.length ?? 0;
  const next = headings.find((heading, index) => index > at && (heading[1]?.length ?? 0) <= level);
  return at < 0 ? '' : TEXT.slice(headings[at]?.index, next?.index);
}

/** As Markdown is commonly rendered. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .replaceAll(' ', '-');
}
