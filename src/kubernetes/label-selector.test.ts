import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatLabelSelector, selectorMatches } from './label-selector.ts';
import { arbitraryObject, objectOf, readKubectl } from './workload.fixture.ts';

const { labelSelectors, serviceSelectors, labelSets } = readKubectl('object-selectors.json');
const expected = readKubectl('object-selectors.expected.json');

function signs(apiVersion: string, kind: string, selector: unknown): string {
  const owner = objectOf(apiVersion, kind, { spec: { selector } });
  return labelSets.map((labels) => (selectorMatches(owner, labels) ? '+' : '-')).join('');
}

describe('a LabelSelector', () => {
  it.each(labelSelectors.map((selector, index) => ({ selector, row: expected.labelSelectors[index] })))(
    '$selector matches and is printed as in Kubernetes',
    ({ selector, row }) => {
      expect(signs('apps/v1', 'Deployment', selector)).toBe(row?.matches);
      expect(formatLabelSelector(selector) ?? '<none>').toBe(row?.text.replace('<error>', '<none>'));
    },
  );
});

describe('the selector of a Service', () => {
  it.each(serviceSelectors.map((selector, index) => ({ selector, matches: expected.serviceSelectors[index] })))(
    '$selector selects as in Kubernetes',
    ({ selector, matches }) => {
      expect(signs('v1', 'Service', selector)).toBe(matches);
    },
  );

  it('is a LabelSelector for a Service of another group', () => {
    expect(signs('serving.knative.dev/v1', 'Service', {})).toBe('+'.repeat(labelSets.length));
  });
});

describe('selectorMatches', () => {
  it('takes an object without labels for one with none of them', () => {
    const owner = objectOf('apps/v1', 'Deployment', { spec: { selector: { matchLabels: { app: 'web' } } } });
    expect(selectorMatches(owner, undefined)).toBe(false);
    expect(selectorMatches(objectOf('apps/v1', 'Deployment', { spec: { selector: {} } }), undefined)).toBe(true);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(arbitraryObject('v1', 'Service'), arbitraryObject('apps/v1', 'Deployment')),
        fc.dictionary(fc.string(), fc.string()),
        (owner, labels) => {
          expect(selectorMatches(owner, labels)).toBeTypeOf('boolean');
          expect(formatLabelSelector(owner.spec?.['selector']) ?? '').toBeTypeOf('string');
        },
      ),
    );
  });
});
