import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { PODS, SERVICES } from '../../../src/kubernetes/resources.ts';
import type { TransportMode } from '../../../src/sources/kas/transport-chooser.ts';
import { NAMESPACE, type BenchOptions } from '../../support/bench.ts';
import { eventually } from '../../support/eventually.ts';
import { scaledClock } from '../../support/scaled-clock.ts';
import type { Trial } from '../upstreams/trial.ts';
import type { Upstream } from '../upstreams/upstream.ts';

const SCALE = 10;

/** Who may look is what the cluster's own RBAC and access reviews say. */
export function rightsOfRbac(transport: TransportMode, upstream: Upstream): void {
  let trial: Trial;
  const start = async (options: BenchOptions = {}) => {
    trial = await upstream.start({ transport, ...options });
    await trial.createPod('a');
  };
  const attach = (user: string, resource = PODS, namespace: string | undefined = NAMESPACE) =>
    trial.bench.gate.attach(trial.bench.viewer(user), trial.bench.key(resource, namespace));

  describe(`rights, on ${upstream.name}`, () => {
    afterEach(() => trial.close());
    afterAll(() => upstream.close());

    it('a Role lets its user look at what it names, where it is, and at nothing else', async () => {
      await start();
      await trial.cluster.grant('eve', NAMESPACE, ['list', 'watch'], ['pods']);
      const attachment = await attach('eve');
      attachment.release();
      await expect(attach('eve', SERVICES)).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(attach('eve', PODS, 'default')).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(attach('nobody')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    });

    it('whoever may list and not watch may not look', async () => {
      await start();
      await trial.cluster.grant('eve', NAMESPACE, ['list', 'get'], ['pods']);
      await expect(attach('eve')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    });

    it('rights that are taken away end the view within the bound, and nobody else notices', async () => {
      await start({ clock: scaledClock(SCALE) });
      await trial.cluster.grant('eve', NAMESPACE, ['list', 'watch'], ['pods']);
      const eve = await trial.liveView({ viewer: trial.bench.viewer('eve') });
      const ada = await trial.liveView();
      await trial.cluster.revoke('eve');
      await eventually('the view ends', () => eve.error !== undefined, 75_000 / SCALE + 2_000);
      expect(eve.error).toMatchObject({ code: 'ACCESS_REVOKED', retryable: false });
      await trial.createPod('b');
      await trial.converged(ada);
      expect(ada.snapshots).toHaveLength(1);
      expect(eve.objects.size).toBe(1);
    });

    it('the cluster says who somebody is', async () => {
      await start();
      const identity = await trial.bench.gate.whoAmI(trial.bench.viewer('ada'), '1');
      expect(identity.username).toBe('gitlab:user:ada');
      expect(identity.groups).toEqual(expect.arrayContaining(['gitlab:user', 'system:authenticated']));
    });

    it('deletes an object only if it is the one that was meant', async () => {
      await start();
      const { gate } = trial.bench;
      const key = { ...trial.bench.key(), namespace: NAMESPACE };
      const other = { uid: '00000000-0000-4000-8000-000000000000' };
      await expect(gate.delete(trial.bench.viewer(), key, 'a', other)).rejects.toMatchObject({ code: 'CONFLICT' });
      await expect(gate.delete(trial.bench.viewer(), key, 'nothing', {})).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });
  });
}
