import type { Clock } from '../../clock.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { UpstreamError } from '../upstream-error.ts';
import type { ListPage, Upstream } from '../upstream.ts';

/** Objects a page: what every other client uses, too. */
export const PAGE_SIZE = 500;
/** How long all pages together may take, in milliseconds: a list that never ends must not hold its place for ever. */
export const LIST_MS = 90_000;
/** Pages that expire this often say that paging does not work here: then all is asked for at once. */
const MAX_EXPIRED_PAGINGS = 2;

type Lister = Pick<Upstream, 'list'>;

export interface FullList {
  readonly objects: readonly KubernetesObject[];
  readonly resourceVersion: string;
}

/**
 * The whole collection, from one snapshot. With `notOlderThan` it is asked for in one piece, which the API
 * server answers from its watch cache; without, in pages of the most recent state.
 */
export async function listAll(
  upstream: Lister,
  notOlderThan: string | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<FullList> {
  const deadline = new AbortController();
  const late = new UpstreamError('timeout', `The list was not complete within ${LIST_MS / 1000} s.`);
  const timer = clock.after(LIST_MS, () => deadline.abort(late));
  try {
    return await list(upstream, notOlderThan, AbortSignal.any([signal, deadline.signal]));
  } finally {
    timer.cancel();
  }
}

async function list(upstream: Lister, notOlderThan: string | undefined, signal: AbortSignal): Promise<FullList> {
  if (notOlderThan !== undefined) {
    try {
      return await onePiece(upstream, { notOlderThan }, signal);
    } catch (error) {
      if (!(error instanceof UpstreamError && error.failure === 'pageTooLarge')) throw error;
    }
  }
  return inPages(upstream, signal);
}

async function inPages(upstream: Lister, signal: AbortSignal): Promise<FullList> {
  let limit = PAGE_SIZE;
  for (let expired = 0; ;) {
    try {
      return await pageThrough(upstream, limit, signal);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      if (error.failure === 'expired') {
        // The token that a 410 offers continues another snapshot: it is never used.
        expired += 1;
        if (expired > MAX_EXPIRED_PAGINGS) return onePiece(upstream, {}, signal);
      } else if (error.failure === 'pageTooLarge' && limit > 1) {
        limit = Math.max(1, Math.floor(limit / 4));
      } else throw error;
    }
  }
}

async function pageThrough(upstream: Lister, limit: number, signal: AbortSignal): Promise<FullList> {
  const objects: KubernetesObject[] = [];
  let page: ListPage = await upstream.list({ limit }, signal);
  const { resourceVersion } = page;
  for (;;) {
    signal.throwIfAborted();
    for (const object of page.items) objects.push(object);
    const { continueToken } = page;
    if (continueToken === undefined) return { objects, resourceVersion };
    page = await upstream.list({ limit, continueToken }, signal);
    if (page.resourceVersion !== resourceVersion) {
      throw new UpstreamError('malformed', 'The pages of a list came from different states of the cluster.');
    }
  }
}

async function onePiece(upstream: Lister, request: { notOlderThan?: string }, signal: AbortSignal): Promise<FullList> {
  const page = await upstream.list(request, signal);
  if (page.continueToken !== undefined) {
    throw new UpstreamError('malformed', 'A list was cut into pages though none were asked for.');
  }
  return { objects: page.items, resourceVersion: page.resourceVersion };
}
