import { fullJitter, type Backoff } from './backoff.ts';
import { KascadeError, toKascadeError } from './errors.ts';
import { createStore, type LiveStore } from './state.ts';
import type { Operation, Result, Sink, Subscribe } from './transport.ts';
import type { TypedDocument } from './typed-document.ts';
import { applyUpdate, emptyList, type Identified, type List, type Update } from './updates.ts';

export interface LiveOptions {
  readonly backoff?: Backoff;
  /** A subscription that the server may complete (logs of a pod that is gone). Otherwise its end is a reason to retry. */
  readonly mayEnd?: boolean;
}

interface Folding<Message, Value> {
  readonly initial: Value;
  readonly fold: (value: Value, message: Message) => Value;
  /** Variables that depend on what was received so far. */
  readonly resume?: (value: Value) => Record<string, unknown>;
}

type MessageOf<Data> = Data[keyof Data];

/** A list subscription (k8sPods, k8sServices …) as a list that is always current. Missed changes are asked for by cursor. */
export function live<Item extends Identified, Variables extends object>(
  subscribe: Subscribe,
  document: TypedDocument<Readonly<Record<string, Update<Item>>>, Variables>,
  variables: Variables,
  options?: LiveOptions,
): LiveStore<List<Item>> {
  return liveWith<Readonly<Record<string, Update<Item>>>, Variables, List<Item>>(subscribe, document, variables, {
    ...options,
    initial: emptyList<Item>(),
    fold: applyUpdate,
    resume: ({ cursor }) => (cursor === undefined ? {} : { resume: cursor }),
  });
}

/** A subscription whose every message is the whole state (k8sConnection, fluxKustomization …). */
export function liveValue<Data extends object, Variables extends object>(
  subscribe: Subscribe,
  document: TypedDocument<Data, Variables>,
  variables: Variables,
  options?: LiveOptions,
): LiveStore<MessageOf<Data> | undefined> {
  return liveWith<Data, Variables, MessageOf<Data> | undefined>(subscribe, document, variables, {
    ...options,
    initial: undefined,
    fold: (_, message) => message,
  });
}

/** Any subscription, its messages folded into a value. */
export function liveWith<Data extends object, Variables extends object, Value>(
  subscribe: Subscribe,
  document: TypedDocument<Data, Variables>,
  variables: Variables,
  { initial, fold, resume, backoff = fullJitter, mayEnd = false }: LiveOptions & Folding<MessageOf<Data>, Value>,
): LiveStore<Value> {
  const store = createStore(initial);
  const operation: Operation = {
    query: document,
    get variables() {
      return { ...variables, ...resume?.(store.get().value) };
    },
  };
  let release: (() => void) | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Messages of an attempt that was given up are nobody's. */
  let attempt = 0;

  function connect(): void {
    leave();
    const own = attempt;
    const leaveThis = subscribe<Data>(operation, sinkOf(own));
    if (own === attempt) release = leaveThis;
    else leaveThis(); // it failed before it answered
  }

  function sinkOf(own: number): Sink<Data> {
    const whileOwn =
      <Args extends unknown[]>(handle: (...args: Args) => void) =>
      (...args: Args) => {
        if (own === attempt) handle(...args);
      };
    return {
      next: whileOwn(receive),
      error: whileOwn((error: unknown) => fail(toKascadeError(error))),
      complete: whileOwn(end),
      interrupted: whileOwn((error: unknown) => interrupted(toKascadeError(error))),
    };
  }

  function receive({ data, errors }: Result<Data>): void {
    const error = errors && errors.length > 0 ? toKascadeError(errors) : undefined;
    const message = messageOf(data);
    if (message === undefined) {
      if (error) fail(error);
      return;
    }
    const value = fold(store.get().value, message);
    store.set({ status: 'live', value, loaded: true, error, attempts: 0, retryAt: undefined });
  }

  function end(): void {
    if (mayEnd) settle('ended');
    else fail(new KascadeError('The server ended the subscription.', { code: 'NETWORK', retryable: true }));
  }

  function fail(error: KascadeError): void {
    leave();
    if (!error.retryable) {
      store.set({ status: 'failed', error, retryAt: undefined });
      return;
    }
    const attempts = store.get().attempts + 1;
    const waitMs = backoff(attempts);
    timer = setTimeout(retry, waitMs);
    store.set({ status: 'retrying', error, attempts, retryAt: Date.now() + waitMs });
  }

  function interrupted(error: KascadeError): void {
    store.set({ status: 'retrying', error, retryAt: undefined });
  }

  function retry(): void {
    store.set({ status: 'connecting', retryAt: undefined });
    connect();
  }

  function settle(status: 'ended' | 'stopped'): void {
    leave();
    store.set({ status, retryAt: undefined });
  }

  function leave(): void {
    attempt += 1;
    clearTimeout(timer);
    release?.();
    release = undefined;
  }

  connect();
  return {
    get: store.get,
    subscribe: store.subscribe,
    retryNow: () => {
      if (['retrying', 'failed'].includes(store.get().status)) retry();
    },
    stop: () => {
      if (store.get().status !== 'stopped') settle('stopped');
    },
  };
}

/** A subscription has exactly one field, whatever its name. */
function messageOf<Data extends object>(data: Data | null | undefined): MessageOf<Data> | undefined {
  const [message] = data ? (Object.values(data) as (MessageOf<Data> | null)[]) : [];
  return message ?? undefined;
}
