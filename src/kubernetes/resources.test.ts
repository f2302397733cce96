import { describe, expect, it } from 'vitest';
import { checkGroup, checkPlural, checkVersion } from './names.ts';
import * as resources from './resources.ts';

const ALL = Object.values(resources).filter(
  (each): each is resources.Resource => typeof each === 'object' && 'plural' in each,
);

describe('the catalogue', () => {
  it('names every resource once', () => {
    expect(ALL).toHaveLength(18);
    for (const key of ['field', 'plural', 'kind'] as const) {
      expect(new Set(ALL.map((each) => each[key])).size).toBe(ALL.length);
    }
  });

  it.each(ALL)('has names that pass the grammar of URLs: $field', ({ group, version, plural }) => {
    expect(() => [group === '' || checkGroup(group), checkVersion(version), checkPlural(plural)]).not.toThrow();
  });
});
