/**
 * Apollo Client 4. Its cache holds the pods by id; `applyUpdate` keeps the list. The link comes back by itself after a
 * drop and resumes where it left off.
 */
import { ApolloClient, ApolloLink, InMemoryCache, Observable, gql, type TypedDocumentNode } from '@apollo/client';
import { print } from 'graphql';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws'; // browsers have their own
import { applyUpdate, emptyList } from '../../client/index.ts';
import { LivePods, type LivePodsData, type LivePodsVariables, type PodRow } from '../../client/generated.ts';
import { agentId, namespace, show, token, url } from './target.ts';

const document: TypedDocumentNode<LivePodsData, LivePodsVariables> = gql(LivePods);
let pods = emptyList<PodRow>();

const webSocket = createClient({
  url: url.replace(/^http/, 'ws'),
  webSocketImpl: WebSocket,
  connectionParams: () => ({ Authorization: `Bearer ${token}` }),
  retryAttempts: Infinity,
});

/** Apollo's own GraphQLWsLink sends the variables of the first time at every reconnect: it misses nothing, but starts over. */
const resuming = new ApolloLink(
  ({ query, variables }) =>
    new Observable((observer) => {
      const payload = {
        query: print(query),
        get variables() {
          return { ...variables, ...(pods.cursor !== undefined && { resume: pods.cursor }) };
        },
      };
      return webSocket.subscribe(payload, {
        next: ({ data = null, errors }) => observer.next({ data, ...(errors && { errors }) }),
        error: (error) => observer.error(error),
        complete: () => observer.complete(),
      });
    }),
);

const client = new ApolloClient({ link: resuming, cache: new InMemoryCache() });

client.subscribe({ query: document, variables: { agentId, namespace } }).subscribe(({ data, error }) => {
  if (error) console.error(error.message);
  if (!data) return;
  pods = applyUpdate(pods, data.k8sPods);
  for (const id of data.k8sPods.removed) client.cache.evict({ id: `K8sPod:${id}` });
  show(pods.items);
});
