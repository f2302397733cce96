import { KascadeError, toKascadeError } from './errors.ts';

/** What an answer says that is not what was asked for: Kascade's own errors if it has them, otherwise its status. */
export async function refusalOf(response: Response): Promise<KascadeError> {
  const body = (await response.json().catch(() => undefined)) as { readonly errors?: readonly unknown[] } | undefined;
  if (body?.errors && body.errors.length > 0) return toKascadeError(body.errors);
  return new KascadeError(`The server answered with ${response.status}.`, {
    code: 'NETWORK',
    retryable: response.status === 429 || response.status >= 500,
  });
}
