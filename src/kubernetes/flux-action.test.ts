import { describe, expect, it } from 'vitest';
import { fluxActionProgress } from './flux-action.ts';
import type { JsonObject, KubernetesObject } from './object.ts';

const TOKEN = '2026-03-01T12:00:00.000Z';
const LATER = '2026-03-01T12:00:05.000Z';

function kustomization(status: JsonObject, suspend = false, requestedAt = TOKEN): KubernetesObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: {
      name: 'apps',
      namespace: 'flux-system',
      uid: 'u',
      resourceVersion: '1',
      generation: 2,
      creationTimestamp: TOKEN,
      annotations: { 'reconcile.fluxcd.io/requestedAt': requestedAt },
    },
    spec: { suspend },
    status,
  };
}

const ready = (status: string, observedGeneration = 2, reason = 'X') => ({
  conditions: [{ type: 'Ready', status, reason, message: 'm', observedGeneration }],
});
const handled = { lastHandledReconcileAt: TOKEN };

describe('fluxActionProgress', () => {
  it.each([
    ['asked for', kustomization(ready('True')), 'REQUESTED'],
    [
      'an older token handled',
      kustomization({ ...ready('True'), lastHandledReconcileAt: '2026-02-01T00:00:00Z' }),
      'REQUESTED',
    ],
    ['handled, at it', kustomization({ ...handled, ...ready('Unknown', 2, 'Progressing') }), 'HANDLED'],
    ['handled, verdict of an older generation', kustomization({ ...handled, ...ready('True', 1) }), 'HANDLED'],
    ['done', kustomization({ ...handled, ...ready('True') }), 'SUCCEEDED'],
    ['failed', kustomization({ ...handled, ...ready('False', 2, 'BuildFailed') }), 'FAILED'],
    [
      'a later request handled in its place',
      kustomization({ ...ready('True'), lastHandledReconcileAt: LATER }, false, LATER),
      'SUCCEEDED',
    ],
    ['a later request not handled yet', kustomization(ready('True'), false, LATER), 'REQUESTED'],
    ['suspended meanwhile', kustomization(ready('True'), true), 'FAILED'],
    ['gone', undefined, 'FAILED'],
  ])('%s', (_, object, state) => {
    expect(fluxActionProgress(object, { verb: 'reconcile', token: TOKEN }).state).toBe(state);
  });

  it('takes a suspension for what it is', () => {
    expect(fluxActionProgress(kustomization({}, true), { verb: 'suspend', token: TOKEN }).state).toBe('SUCCEEDED');
    expect(fluxActionProgress(kustomization({}, false), { verb: 'suspend', token: TOKEN }).state).toBe('FAILED');
  });

  it.each(['suspend', 'resume', 'reconcile'] as const)('takes an object from before it for no answer: %s', (verb) => {
    for (const suspended of [true, false]) {
      const request = { verb, token: TOKEN, generation: 3 };
      expect(fluxActionProgress(kustomization(ready('True'), suspended), request).state).toBe('REQUESTED');
    }
  });
});
