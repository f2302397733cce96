import { createClient } from 'graphql-ws';
import { ask, overWebSocket, type Subscribe, type TypedDocument } from '../../../client/index.ts';

/** Kascade, for one viewer. */
export interface Api {
  /** Another one for every endpoint and viewer. */
  readonly key: string;
  readonly subscribe: Subscribe;
  readonly ask: <Data, Variables extends object>(
    document: TypedDocument<Data, Variables>,
    variables: Variables,
  ) => Promise<Data>;
  readonly close: () => void;
}

let made = 0;

export function createApi(graphql: string, token: string): Api {
  const headers = token === '' ? {} : { Authorization: `Bearer ${token}` };
  const client = createClient({
    url: graphql.replace(/^http/, 'ws'),
    connectionParams: headers,
    retryAttempts: 0, // each subscription retries by itself, and says when
    lazyCloseTimeout: 2_000,
  });
  made += 1;
  return {
    key: String(made),
    subscribe: overWebSocket(client),
    ask: (document, variables) => ask({ url: graphql, headers }, document, variables),
    close: () => void client.dispose(),
  };
}
