import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pod } from '../../test/support/objects.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { selectorMatches } from '../kubernetes/label-selector.ts';
import type { JsonObject, KubernetesObject } from '../kubernetes/object.ts';
import { PODS, SERVICES } from '../kubernetes/resources.ts';
import { indexOf } from './feed-index.ts';
import { Feed } from './feed.ts';

function feed(objects: readonly KubernetesObject[], resource = PODS): Feed {
  const made = new Feed({ agentId: '7', namespace: undefined, resource }, new VirtualClock());
  made.replace(objects, '1', 'kept');
  return made;
}

function service(name: string, selector: JsonObject | undefined, namespace = 'shop'): KubernetesObject {
  return { ...pod(name, { namespace }), kind: 'Service', spec: selector === undefined ? {} : { selector } };
}

function owned(name: string, uid: string, controller = true): KubernetesObject {
  const bare = pod(name);
  const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid, controller }];
  return { ...bare, metadata: { ...bare.metadata, ownerReferences } };
}

function isSelected(from: KubernetesObject, to: KubernetesObject): boolean {
  return from.metadata.namespace === to.metadata.namespace && selectorMatches(from, to.metadata.labels);
}

const names = (objects: readonly KubernetesObject[]) => objects.map(({ metadata }) => metadata.name);

describe('FeedIndex', () => {
  it('knows what an object controls, and follows the feed', () => {
    const pods = feed([owned('b', 'u-1'), owned('a', 'u-1'), owned('c', 'u-2'), owned('d', 'u-1', false), pod('e')]);
    const index = indexOf(pods);
    expect(names(index.controlledBy('u-1'))).toEqual(['a', 'b']);
    expect(index.controlledBy('')).toEqual([]);
    pods.upsert({ ...owned('f', 'u-1') });
    pods.remove({ ...pod('a', { resourceVersion: 9 }) });
    expect(names(index.controlledBy('u-1'))).toEqual(['b', 'f']);
  });

  it('is one for all who ask', () => {
    const pods = feed([]);
    expect(indexOf(pods)).toBe(indexOf(pods));
  });

  it('selects nothing for a service without a selector, nor across namespaces', () => {
    const pods = indexOf(
      feed([pod('a', { labels: { app: 'x' } }), pod('b', { labels: { app: 'x' }, namespace: 'lab' })]),
    );
    expect(names(pods.selectedBy(service('s', { app: 'x' })))).toEqual(['a']);
    expect(pods.selectedBy(service('s', {}))).toEqual([]);
    expect(pods.selectedBy(service('s', undefined))).toEqual([]);
  });

  it('selects as comparing everything with everything does', () => {
    const labels = fc.dictionary(fc.constantFrom('app', 'tier', '__proto__'), fc.constantFrom('x', 'y', ''), {
      maxKeys: 3,
    });
    const namespace = fc.constantFrom('shop', 'lab');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(labels, namespace), { maxLength: 8 }),
        fc.array(fc.tuple(labels, namespace), { maxLength: 5 }),
        (podParts, serviceParts) => {
          const pods = podParts.map(([each, where], at) => pod(`p${at}`, { labels: each, namespace: where }));
          const services = serviceParts.map(([each, where], at) => service(`s${at}`, each, where));
          const [podIndex, serviceIndex] = [indexOf(feed(pods)), indexOf(feed(services, SERVICES))];
          for (const each of services) {
            expect(names(podIndex.selectedBy(each))).toEqual(names(pods.filter((to) => isSelected(each, to))));
          }
          for (const each of pods) {
            expect(names(serviceIndex.selecting(each))).toEqual(names(services.filter((by) => isSelected(by, each))));
          }
        },
      ),
    );
  });
});
