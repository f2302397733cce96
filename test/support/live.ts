import type { WholeServer } from './whole-server.ts';

export interface Followed<T> {
  readonly messages: T[];
  readonly errors: { readonly message?: string; readonly extensions?: Record<string, unknown> }[];
  completed: boolean;
  stop(): void;
}

/** Collects what a subscription sends; `field` is the one it selects. */
export function follow<T>(
  whole: WholeServer,
  query: string,
  { user = 'ada', variables = {} }: { user?: string; variables?: Record<string, unknown> } = {},
): Followed<T> {
  const followed: Followed<T> = { messages: [], errors: [], completed: false, stop: () => stop() };
  const stop = whole.client(user).subscribe<Record<string, T>>(
    { query, variables },
    {
      next: ({ data, errors }) => {
        for (const value of Object.values(data ?? {})) if (value !== null) followed.messages.push(value);
        for (const error of errors ?? []) followed.errors.push(error);
      },
      error: (error) => {
        for (const each of Array.isArray(error) ? (error as Followed<T>['errors']) : [{ message: String(error) }]) {
          followed.errors.push(each);
        }
      },
      complete: () => (followed.completed = true),
    },
  );
  return followed;
}
