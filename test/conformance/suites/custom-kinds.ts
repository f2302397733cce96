import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { FLUX_RESOURCES, type Resource } from '../../../src/kubernetes/resources.ts';
import type { TransportMode } from '../../../src/sources/kas/transport-chooser.ts';
import { NAMESPACE } from '../../support/bench.ts';
import { eventually } from '../../support/eventually.ts';
import type { Trial } from '../upstreams/trial.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { manifestOf } from './flux-objects.ts';

/** Flux' kinds, as custom resources with Flux' own definitions. */
export function customKinds(transport: TransportMode, upstream: Upstream): void {
  describe(`custom kinds, on ${upstream.name}`, () => {
    let trial: Trial;
    afterEach(() => trial.close());
    afterAll(() => upstream.close());

    it.each(FLUX_RESOURCES.map((resource) => [resource.kind, resource] as const))(
      '%s: is listed and watched, its spec and its status change apart from each other',
      async (_, resource) => {
        trial = await upstream.start({ transport });
        const { bench, cluster } = trial;
        await cluster.create(manifestOf(resource, NAMESPACE, 'one'));
        const view = await bench.view({ resource });
        await trial.converged(view, 10_000, keyOf(resource));
        const two = await cluster.create(manifestOf(resource, NAMESPACE, 'two'));
        await cluster.patch(keyOf(resource), NAMESPACE, 'two', { spec: { suspend: true } });
        await trial.converged(view, 10_000, keyOf(resource));
        const seen = view.objects.get(two.metadata.uid);
        expect(seen).toMatchObject({
          kind: resource.kind,
          spec: { suspend: true },
          status: { conditions: [expect.objectContaining(READY) as unknown] },
        });
        expect(seen?.metadata.generation).toBe(2);
        const gone = await cluster.delete(keyOf(resource), NAMESPACE, 'one');
        await eventually('it is removed', () => view.last?.removed.includes(gone) === true, 5_000);
        expect(view.breaches).toEqual([]);
      },
    );
  });
}

const READY = { type: 'Ready', status: 'True', reason: 'Succeeded' };

function keyOf({ plural, group }: Resource): string {
  return `${plural}.${group}`;
}
