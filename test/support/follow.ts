import type { Kas } from '../../demo/kas/index.ts';
import { eventually } from './eventually.ts';
import type { WholeServer } from './whole-server.ts';

/** Follows a subscription with the real client. `field`: its root field. */
export function followField<Message>(
  whole: WholeServer,
  field: string,
  query: string,
  variables: Record<string, unknown> = {},
  user = 'ada',
) {
  const messages: Message[] = [];
  const errors: unknown[] = [];
  const stop = whole.client(user).subscribe<Record<string, Message>>(
    { query, variables },
    {
      next: ({ data, errors: refusals }) => {
        if (refusals) errors.push(...refusals);
        const message = data?.[field];
        if (message != null) messages.push(message);
      },
      error: (error) => errors.push(error),
      complete: () => {},
    },
  );
  return {
    messages,
    errors,
    stop,
    /** Waits until the last message is as it should be. */
    until: (what: string, holds: (message: Message | undefined) => boolean) =>
      eventually(
        what,
        () => holds(messages.at(-1)),
        5_000,
        () => ({ messages, errors }),
      ),
  };
}

/** What was sent on somebody's behalf: watches and looks at whether the agent is there go on by themselves. */
export function sentSince(kas: Kas, before: number): string[] {
  const urls = kas.requests.slice(before).map(({ url }) => url);
  return urls.filter((url) => !/[?&]watch=true|\/version$|\/watch\b/.test(url));
}
