import { describe, expect, it } from 'vitest';
import type { HealthLevel } from '../kubernetes/health.ts';
import { rollUp } from './inventory-health.ts';

function of(...levels: (HealthLevel | undefined)[]) {
  const entries = levels.map((level, at) => `${level ?? 'unseen'} ${at}`);
  const resolved = levels.map((level) => ({ object: undefined, problem: undefined, health: level && { level } }));
  return rollUp(entries, resolved);
}

describe('rollUp', () => {
  it.each([
    [['HEALTHY', 'HEALTHY'], 'HEALTHY', undefined],
    [['HEALTHY', 'SUSPENDED'], 'SUSPENDED', 'SUSPENDED 1'],
    [['SUSPENDED', 'PROGRESSING', 'PROGRESSING'], 'PROGRESSING', 'PROGRESSING 1'],
    [['PROGRESSING', 'UNKNOWN'], 'UNKNOWN', 'UNKNOWN 1'],
    [['DEGRADED', 'UNKNOWN', 'DEGRADED'], 'DEGRADED', 'DEGRADED 0'],
    [[undefined, 'HEALTHY'], 'HEALTHY', undefined],
    [[], 'HEALTHY', undefined],
  ] as const)('%j is %s', (levels, level, cause) => {
    expect(of(...levels)).toMatchObject({ level, cause, total: levels.length });
  });

  it('does not call healthy what cannot be seen', () => {
    expect(of(undefined, undefined)).toEqual({ level: 'UNKNOWN', total: 2, healthy: 0, unseen: 2, cause: undefined });
  });
});
