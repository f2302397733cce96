import { readFileSync } from 'node:fs';
import { parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TROUBLE } from '../../demo/cluster/pod-run.ts';
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

let whole: WholeServer;
let cluster: { stop(): void };

beforeAll(async () => {
  whole = await WholeServer.start({ MAX_FEEDS_PER_VIEWER: '200' });
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

  it.each(RUN.filter(({ document }) => !document.startsWith('subscription')))('runs: $title', async ({ document }) => {
    const { data, errors } = await whole.ask(document);
    expect(errors).toBeUndefined();
    expect(data).toBeTruthy();
  });

  it.each(RUN.filter(({ document }) => document.startsWith('subscription')))(
    'is live: $title',
    async ({ document }) => {
      const field = /\{\s*(\w+)/.exec(document)?.[1] ?? '';
      const live = followField(whole, field, document);
      await live.until('a first message', (message) => message !== undefined);
      expect(live.errors).toEqual([]);
      live.stop();
    },
  );
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
