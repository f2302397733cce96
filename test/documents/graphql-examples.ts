import { parse, validate } from 'graphql';
import { expect, it } from 'vitest';
import { schema } from '../../src/schema/index.ts';
import { followField } from '../support/follow.ts';
import type { WholeServer } from '../support/whole-server.ts';
import { blocksOf } from './markdown.ts';

export interface Example {
  /** Enough of it to be told from others. */
  readonly title: string;
  readonly document: string;
}

/** The examples of a document that are to be run: fenced as `graphql run`. */
export function examplesOf(file: string): Example[] {
  return blocksOf(file, 'graphql run').map((document) => ({
    title: document.replaceAll(/\s+/g, ' ').slice(0, 80),
    document,
  }));
}

/** Every example is valid, and runs against the living cluster: mutations last, so that it is looked at as applied. */
export function runExamples(file: string, whole: () => WholeServer): void {
  const examples = examplesOf(file);

  it.each(examples)('is valid: $title', ({ document }) => {
    expect(validate(schema, parse(document))).toEqual([]);
  });

  it.each(examples.filter((example) => !isMutation(example) && !isSubscription(example)))(
    'runs: $title',
    async ({ document }) => {
      const { data, errors } = await whole().ask(document, await variablesOf(document, whole()));
      expect(errors).toBeUndefined();
      expect(data).toBeTruthy();
    },
  );

  it.each(examples.filter(isSubscription))('is live: $title', async ({ document }) => {
    const field = /\{\s*(\w+)/.exec(document)?.[1] ?? '';
    const live = followField(whole(), field, document, await variablesOf(document, whole()));
    await live.until('a first message', (message) => message !== undefined);
    expect(live.errors).toEqual([]);
    live.stop();
  });

  it.each(examples.filter(isMutation))('acts: $title', async ({ document }) => {
    const { data, errors } = await whole().ask(document, await variablesOf(document, whole()));
    expect(errors).toBeUndefined();
    expect(data).toBeTruthy();
  });
}

function isMutation({ document }: Pick<Example, 'document'>): boolean {
  return document.startsWith('mutation');
}

function isSubscription({ document }: Pick<Example, 'document'>): boolean {
  return document.startsWith('subscription');
}

/** Values for the variables that a document declares: of what there is in the cluster at this moment. */
async function variablesOf(document: string, whole: WholeServer): Promise<Record<string, unknown>> {
  const name = isMutation({ document }) ? 'cart' : 'web';
  const pod = whole.store
    .list('pods', 'shop')
    .find(({ metadata }) => metadata.name.startsWith(`${name}-`) && metadata.deletionTimestamp === undefined);
  const known: Record<string, () => unknown> = {
    podName: () => pod?.metadata.name,
    uid: () => pod?.metadata.uid,
    manifests: () => blocksOf('docs/api.md', 'yaml'),
    start: () => new Date(Date.now() - 600_000).toISOString(),
    end: () => new Date().toISOString(),
    actionId: () => reconcile(whole),
  };
  const declared = Array.from(document.matchAll(/\$(\w+):/g), ([, variable = '']) => variable);
  const values: Record<string, unknown> = {};
  for (const variable of declared) values[variable] = await known[variable]?.();
  return values;
}

async function reconcile(whole: WholeServer): Promise<string | undefined> {
  const { data } = await whole.ask<{ reconcileFluxResource: { actionId: string } }>(
    'mutation { reconcileFluxResource(agentId: "1", target: { kind: KUSTOMIZATION, namespace: "shop", name: "shop" }) { actionId } }',
  );
  return data?.reconcileFluxResource.actionId;
}
