import { readFileSync } from 'node:fs';
import { parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TROUBLE } from '../../demo/cluster/pod-run.ts';
import { makeService } from '../../demo/apiserver/objects.ts';
import { production, startCluster } from '../../demo/cluster/index.ts';
import { schema } from '../../src/schema/index.ts';
import { eventually, pause } from '../support/eventually.ts';
import { followField } from '../support/follow.ts';
import { WholeServer } from '../support/whole-server.ts';

/** The examples of docs/api.md: all are valid, and those marked `run` are run against the living cluster of the demo. */

const TEXT = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
const EXAMPLES = Array.from(TEXT.matchAll(/^```graphql( run)?\n(.*?)^```$/gms), ([, mark, document = '']) => ({
  title: document.replaceAll(/\s+/g, ' ').slice(0, 80),
  document,
  isRun: mark !== undefined,
}));
const RUN = EXAMPLES.filter(({ isRun }) => isRun);
/** In this order: what is looked at should be as it was applied. */
const isMutation = ({ document }: { document: string }) => document.startsWith('mutation');
const isSubscription = ({ document }: { document: string }) => document.startsWith('subscription');
const QUERIES = RUN.filter((example) => !isMutation(example) && !isSubscription(example));

const ROWS = [...Array.from({ length: 38 }, (_, index) => index + 1), 40, 43, 45].map((row) => `F${row}`);

let whole: WholeServer;
let cluster: { stop(): void };

beforeAll(async () => {
  whole = await WholeServer.start({ MAX_FEEDS_PER_VIEWER: '200', PROMETHEUS_SERVICE: 'monitoring/prometheus:9090' });
  whole.store.create(makeService({ name: 'prometheus', namespace: 'monitoring' }));
  cluster = startCluster(whole.kas.agent(1).api, production(), { seed: 7, speed: 100, incidents: false });
  const isReady = () =>
    whole.store.list('deployments', 'shop').find(({ metadata }) => metadata.name === 'web')?.status?.[
      'availableReplicas'
    ] === 3;
  await eventually('a shop that sells', isReady, 20_000);
});

afterAll(async () => {
  cluster.stop();
  await whole.stop();
});

describe('docs/api.md', () => {
  it.each(EXAMPLES)('is valid: $title', ({ document }) => {
    expect(validate(schema, parse(document))).toEqual([]);
  });

  it('runs every example', () => {
    expect(EXAMPLES.filter(({ isRun }) => !isRun)).toEqual([]);
  });

  it.each(QUERIES)('runs: $title', async ({ document }) => {
    const { data, errors } = await whole.ask(document, await variablesOf(document));
    expect(errors).toBeUndefined();
    expect(data).toBeTruthy();
  });

  it.each(RUN.filter(isSubscription))('is live: $title', async ({ document }) => {
    const field = /\{\s*(\w+)/.exec(document)?.[1] ?? '';
    const live = followField(whole, field, document, await variablesOf(document));
    await live.until('a first message', (message) => message !== undefined);
    expect(live.errors).toEqual([]);
    live.stop();
  });

  it.each(RUN.filter(isMutation))('acts: $title', async ({ document }) => {
    const { data, errors } = await whole.ask(document, await variablesOf(document));
    expect(errors).toBeUndefined();
    expect(data).toBeTruthy();
  });
});

describe("GitLab's rows", () => {
  const rows = Array.from(
    TEXT.matchAll(/^\| (F\d+) \|[^|]*\|([^|]*)\| \[[^|]*\]\(#([\w-]+)\) \|$/gm),
    ([, row = '', here = '', anchor = '']) => ({ row, here, anchor }),
  );

  it('are all there', () => {
    expect(rows.map(({ row }) => row)).toEqual(ROWS);
  });

  it.each(rows)('$row has an example that is run', ({ here, anchor }) => {
    const examples = Array.from(sectionOf(anchor).matchAll(/^```graphql run\n(.*?)^```$/gms), ([text]) => text);
    const names = Array.from(here.matchAll(/`([a-z]\w+)`/g), ([, name]) => name);
    expect(names.some((name) => examples.some((text) => new RegExp(`\\b${name}\\b`).test(text)))).toBe(true);
  });
});

describe('the living cluster', () => {
  it('is told as its controllers have it', async () => {
    const { data } = await whole.ask<{
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
    const { store } = whole;
    const template = { spec: { template: { metadata: { annotations: { [TROUBLE]: 'image' } } } } };
    store.patch('deployments', 'shop', 'search', template);
    let rollout: Partial<Rollout> = {};
    for (let tries = 0; tries < 200 && !rollout.blockedBy?.some(({ reason }) => /image/i.test(reason)); tries += 1) {
      await pause(20);
      const { data } = await whole.ask<{ k8sDeployment: { rollout: Rollout } }>(
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

/** Values for the variables that a document declares: of what there is in the cluster at this moment. */
async function variablesOf(document: string): Promise<Record<string, unknown>> {
  const name = isMutation({ document }) ? 'cart' : 'web';
  const pod = whole.store
    .list('pods', 'shop')
    .find(({ metadata }) => metadata.name.startsWith(`${name}-`) && metadata.deletionTimestamp === undefined);
  const manifest = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { type: 'ClusterIP' } };
  const known: Record<string, () => unknown> = {
    podName: () => pod?.metadata.name,
    uid: () => pod?.metadata.uid,
    manifests: () => [JSON.stringify(manifest)],
    start: () => new Date(Date.now() - 600_000).toISOString(),
    end: () => new Date().toISOString(),
    actionId: reconcile,
  };
  const declared = Array.from(document.matchAll(/\$(\w+):/g), ([, variable = '']) => variable);
  const values: Record<string, unknown> = {};
  for (const variable of declared) values[variable] = await known[variable]?.();
  return values;
}

async function reconcile(): Promise<string | undefined> {
  const { data } = await whole.ask<{ reconcileFluxResource: { actionId: string } }>(
    'mutation { reconcileFluxResource(agentId: "1", target: { kind: KUSTOMIZATION, namespace: "shop", name: "shop" }) { actionId } }',
  );
  return data?.reconcileFluxResource.actionId;
}
