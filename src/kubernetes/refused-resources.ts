import { ApiError } from '../errors.ts';
import type { Resource } from './resources.ts';

/** Collections that are never watched, cached, listed or served, whoever asks: they hold what must not leave a cluster. */
const REFUSED: ReadonlySet<string> = new Set(['secrets', 'configmaps']);
const REFUSED_KINDS: ReadonlySet<string> = new Set(['Secret', 'ConfigMap']);

export function isRefused({ group, plural }: Pick<Resource, 'group' | 'plural'>): boolean {
  return group === '' && REFUSED.has(plural);
}

export function isRefusedKind(group: string, kind: string): boolean {
  return group === '' && REFUSED_KINDS.has(kind);
}

/** Throws FORBIDDEN for them. */
export function refuseSecrets(resource: Pick<Resource, 'group' | 'plural'>): void {
  if (!isRefused(resource)) return;
  throw new ApiError('FORBIDDEN', `Kascade serves no ${resource.plural}, whatever your rights are.`, {
    remedy: `Look at ${resource.plural} with kubectl, with your own rights.`,
  });
}
