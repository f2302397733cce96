import { toKascadeError } from './errors.ts';
import { resolved, type Headers } from './headers.ts';
import { refusalOf } from './refusal.ts';
import type { TypedDocument } from './typed-document.ts';
import type { Result } from './transport.ts';

export interface AskOptions {
  /** `…/graphql`. */
  readonly url: string;
  readonly headers?: Headers;
  readonly credentials?: 'omit' | 'same-origin' | 'include';
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal;
}

/** A query or mutation over HTTP. Throws a `KascadeError` for anything but a whole answer. */
export async function ask<Data, Variables extends object>(
  options: AskOptions,
  document: TypedDocument<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  const { fetch = globalThis.fetch, credentials = 'same-origin', signal = null } = options;
  const response = await fetch(options.url, {
    method: 'POST',
    headers: { ...(await resolved(options.headers)), accept: 'application/json', 'content-type': 'application/json' },
    credentials,
    signal,
    body: JSON.stringify({ query: document, variables }),
  }).catch((error: unknown) => Promise.reject(toKascadeError(error)));
  if (!response.ok) throw await refusalOf(response);
  const { data, errors } = (await response.json()) as Result<Data>;
  if (errors && errors.length > 0) throw toKascadeError(errors);
  if (data === null || data === undefined) throw toKascadeError(undefined);
  return data;
}
