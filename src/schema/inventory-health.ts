import type { Health, HealthLevel } from '../kubernetes/health.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';

/** What was found of an object in an inventory; without a health it could not be seen. */
export interface ResolvedEntry {
  readonly object: KubernetesObject | undefined;
  readonly health: Health | undefined;
  readonly problem: string | undefined;
}

export interface InventoryHealth<Entry> {
  readonly level: HealthLevel;
  readonly total: number;
  readonly healthy: number;
  readonly unseen: number;
  readonly cause: Entry | undefined;
}

/** The higher, the worse. */
export const BADNESS: Readonly<Record<HealthLevel, number>> = {
  HEALTHY: 0,
  SUSPENDED: 1,
  PROGRESSING: 2,
  UNKNOWN: 3,
  DEGRADED: 4,
};

/** The worst of an inventory, and the first that is as bad. An empty one is healthy; one that cannot be seen unknown. */
export function rollUp<Entry>(entries: readonly Entry[], resolved: readonly ResolvedEntry[]): InventoryHealth<Entry> {
  const levels = resolved.map(({ health }) => health?.level);
  const seen = levels.filter((level) => level !== undefined);
  const isDark = seen.length === 0 && levels.length > 0;
  const level = seen.reduce<HealthLevel>((a, b) => (BADNESS[b] > BADNESS[a] ? b : a), isDark ? 'UNKNOWN' : 'HEALTHY');
  return {
    level,
    total: levels.length,
    healthy: seen.filter((each) => each === 'HEALTHY').length,
    unseen: levels.length - seen.length,
    cause: level === 'HEALTHY' ? undefined : entries[levels.indexOf(level)],
  };
}
