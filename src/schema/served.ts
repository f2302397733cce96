import type { FeedKey } from '../pubsub/feed-key.ts';
import type { Context } from './context.ts';
import type { Kind } from './kind.ts';

/**
 * The key of a kind's feed in the version that the cluster serves. Throws NOT_FOUND where it is not installed. Kinds
 * that every cluster has are not looked for.
 */
export async function servedKey<Key extends FeedKey>(
  { isOptional = false }: Pick<Kind, 'isOptional'>,
  wanted: Key,
  context: Context,
): Promise<Key> {
  if (!isOptional) return wanted;
  const { resource } = await context.gate.clusters.served(context.viewer(), wanted);
  return { ...wanted, resource };
}
