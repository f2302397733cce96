import { hash } from 'node:crypto';
import { executeSubscriptionEvent } from 'graphql';
import type { ExecutionResult, GraphQLFormattedError, ValidatedSubscriptionArgs } from 'graphql';
import type { Update } from '../../pubsub/updates.ts';

/** Turns updates of a feed into the messages of a shape, as JSON. */
export interface Renderer {
  /** The update that the shape's `reading` brought. Undefined when nothing that is selected has changed. */
  advance(update: Update, reading: number): Promise<string | undefined>;
  /** What somebody missed who has all up to `reading`, after the shape itself has advanced. */
  missed(update: Update, reading: number): Promise<string | undefined>;
  /** A first message: all of it, whether or not there is anything in it. */
  first(update: Update): Promise<string>;
}

/** What a shape showed of an object last: a digest, and the reading at which that became so. */
export interface Shown {
  readonly digest: string;
  readonly at: number;
}

/** 44 characters. SHA-256, because processors have instructions for it: half the time of SHA-1 here. */
export function digestOf(text: string): string {
  return hash('sha256', text, 'base64');
}

/** What graphql answers to an event, errors and all. */
export async function executeAsJson(
  args: ValidatedSubscriptionArgs,
  rootValue: unknown,
  mask: (thrown: unknown) => GraphQLFormattedError,
): Promise<string> {
  const result: ExecutionResult = await executeSubscriptionEvent({ ...args, rootValue });
  const { errors, ...rest } = result;
  return JSON.stringify(errors === undefined ? rest : { ...rest, errors: errors.map(mask) });
}
