import type { Effect } from './effects.ts';
import type { JsonObject } from './json.ts';
import type { Snapshot } from './log.ts';
import type { ApiObject } from './object.ts';
import type { ApiRequest } from './request.ts';
import { groupVersion, resourceKey, type ApiResource } from './resources.ts';
import { parseRevision } from './revision.ts';
import { fieldSelector, labelSelector, type Predicate } from './selectors.ts';
import { serialize, serializePart } from './serialize.ts';
import {
  ApiError,
  badRequest,
  expired,
  failure,
  invalidOptions,
  tooLargeResourceVersion,
  unparsable,
} from './status.ts';
import type { Store } from './store.ts';

/** A page's position: the snapshot it belongs to, and the last key already given. Inconsistent ones name no snapshot. */
interface ContinueToken {
  readonly revision: string;
  readonly after: string;
}

export interface ListOptions {
  /** How long to wait for a resourceVersion the store has not reached. */
  readonly blockTimeoutMs: number;
}

export interface Page {
  readonly metadata: JsonObject;
  readonly items: readonly ApiObject[];
}

/** One page of a collection, by the API's rules for `resourceVersion`, `resourceVersionMatch`, `limit` and `continue`. */
export async function listPage(
  store: Store,
  resource: ApiResource,
  request: ApiRequest,
  effect: Effect,
  options: ListOptions,
): Promise<Page> {
  const { query, namespace } = request;
  const token = query.get('continue') ? decodeToken(query.get('continue') ?? '') : undefined;
  validate(query, token);
  if (token && effect.expireContinue) throw expiredToken(store, token);
  const { snapshot, limit } = token ? resumed(store, query, token) : await first(store, query, effect, options);
  const selects = selection(resource, query);
  const matching = snapshot.list(resourceKey(resource), namespace).filter(selects);
  const rest = token ? matching.filter((object) => keyOf(object) > token.after) : matching;
  const items = limit > 0 ? rest.slice(0, limit) : rest;
  const metadata: JsonObject = { resourceVersion: snapshot.revision.toString() };
  const last = items.at(-1);
  if (last && items.length < rest.length) {
    metadata['continue'] = encodeToken({ revision: snapshot.revision.toString(), after: keyOf(last) });
    const selective = query.get('labelSelector') || query.get('fieldSelector');
    if (!selective) metadata['remainingItemCount'] = rest.length - items.length;
  }
  return { metadata, items };
}

export function listBody(resource: ApiResource, page: Page): string {
  const head = { kind: `${resource.kind}List`, apiVersion: groupVersion(resource), metadata: page.metadata };
  const items = page.items.map((object) => (resource.custom ? serialize(object) : serializePart(untyped(object))));
  return `${JSON.stringify(head).slice(0, -1)},"items":[${items.join(',')}]}\n`;
}

/** The items of a list do not repeat the type that the list names; only custom resources do. */
function untyped(object: ApiObject): Pick<ApiObject, 'metadata' | 'spec'> {
  const { apiVersion: _, kind: __, ...rest } = object;
  return rest;
}

export function selection(resource: ApiResource, query: URLSearchParams): Predicate {
  const byLabel = labelSelector(query.get('labelSelector') ?? '');
  const byField = fieldSelector(resource, query.get('fieldSelector') ?? '');
  return (object) => byLabel(object) && byField(object);
}

function validate(query: URLSearchParams, token: ContinueToken | undefined): void {
  const version = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  if (token && version !== '' && version !== '0') {
    throw new ApiError(badRequest('specifying resource version is not allowed when using continue'));
  }
  if (match !== '' && token) {
    throw new ApiError(
      invalidOptions('resourceVersionMatch', 'Forbidden: resourceVersionMatch is forbidden when continue is provided'),
    );
  }
  if (match !== '' && version === '') {
    throw new ApiError(
      invalidOptions(
        'resourceVersionMatch',
        'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
      ),
    );
  }
  if (match === 'Exact' && version === '0') {
    throw new ApiError(
      invalidOptions(
        'resourceVersionMatch',
        'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
      ),
    );
  }
  if (match !== '' && match !== 'Exact' && match !== 'NotOlderThan') {
    throw new ApiError(
      invalidOptions(
        'resourceVersionMatch',
        `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan", ""`,
        'FieldValueNotSupported',
      ),
    );
  }
}

/** The snapshot a first page shows. */
async function first(store: Store, query: URLSearchParams, effect: Effect, options: ListOptions) {
  const version = query.get('resourceVersion') ?? '';
  const limit = limitOf(query);
  const newest = () => store.at(effect.staleRevision ?? store.revision);
  if (version === '') return { snapshot: newest(), limit };
  // The watch cache answers "0", and it pays no attention to a limit.
  if (version === '0') return { snapshot: newest(), limit: 0 };
  const revision = parseRevision(version);
  if (revision === undefined) throw new ApiError(badRequest(`invalid resource version: ${unparsable(version)}`));
  const reached = effect.staleRevision === undefined ? await waitFor(store, revision, options.blockTimeoutMs) : true;
  if (!reached || BigInt(effect.staleRevision ?? store.revision) < revision) {
    throw new ApiError(tooLargeResourceVersion(version, effect.staleRevision ?? store.revision));
  }
  const match = query.get('resourceVersionMatch') ?? (limit > 0 ? 'Exact' : 'NotOlderThan');
  if (match === 'NotOlderThan') return { snapshot: newest(), limit };
  if (revision < store.compacted) throw tooOld();
  return { snapshot: store.at(revision), limit };
}

function resumed(store: Store, query: URLSearchParams, token: ContinueToken): { snapshot: Snapshot; limit: number } {
  if (token.revision === '') return { snapshot: store.at(store.revision), limit: limitOf(query) };
  if (BigInt(token.revision) < store.compacted) throw expiredToken(store, token);
  return { snapshot: store.at(token.revision), limit: limitOf(query) };
}

function limitOf(query: URLSearchParams): number {
  const limit = Number(query.get('limit') ?? 0);
  if (!Number.isSafeInteger(limit))
    throw new ApiError(badRequest(`strconv.ParseInt: parsing "${query.get('limit')}": invalid syntax`));
  return Math.max(limit, 0);
}

async function waitFor(store: Store, revision: bigint, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (BigInt(store.revision) < revision) {
    if (performance.now() >= deadline) return false;
    await new Promise((resolve) => {
      setTimeout(resolve, Math.min(10, timeoutMs));
    });
  }
  return true;
}

function tooOld(): ApiError {
  return new ApiError(expired('The resourceVersion for the provided list is too old.'));
}

function expiredToken(_store: Store, token: ContinueToken): ApiError {
  const status = failure(
    410,
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
      'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
      'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
      'deleted between the time the first chunk was returned and now may show up in the list.',
  );
  return new ApiError({ ...status, metadata: { continue: encodeToken({ revision: '', after: token.after }) } });
}

/** etcd's order is by namespace, then name, byte by byte. */
function keyOf(object: ApiObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

function encodeToken(token: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: token.revision, start: token.after })).toString(
    'base64url',
  );
}

function decodeToken(text: string): ContinueToken {
  try {
    const token = JSON.parse(Buffer.from(text, 'base64url').toString()) as { rv?: unknown; start?: unknown };
    if (typeof token.rv === 'string' && typeof token.start === 'string')
      return { revision: token.rv, after: token.start };
  } catch {
    // Anything that is no token of ours is refused below.
  }
  throw new ApiError(badRequest('continue key is not valid: invalid character'));
}
