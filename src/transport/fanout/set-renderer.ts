import type { GraphQLFormattedError, ValidatedSubscriptionArgs } from 'graphql';
import type { Update } from '../../pubsub/updates.ts';
import type { Pace } from './pace.ts';
import { digestOf, executeAsJson } from './renderer.ts';
import type { Renderer, Shown } from './renderer.ts';
import { UpdateWriter } from './update-writer.ts';

/** So many objects are written in one go. */
const SLICE = 50;

/**
 * The updates of a whole collection, or of what of it matches a filter. Each object is written by itself: so what is
 * not selected, or has not changed, is found out by comparing, and a large set is worked off in slices.
 */
export class SetRenderer implements Renderer {
  readonly #args: ValidatedSubscriptionArgs;
  readonly #writer: UpdateWriter;
  readonly #pace: Pace;
  readonly #mask: (thrown: unknown) => GraphQLFormattedError;
  /** A digest an object, 100 bytes or so. */
  readonly #shown = new Map<string, Shown>();

  /** `args`: with a context that knows no viewer. */
  constructor(args: ValidatedSubscriptionArgs, pace: Pace, mask: (thrown: unknown) => GraphQLFormattedError) {
    this.#args = args;
    this.#pace = pace;
    this.#mask = mask;
    this.#writer = new UpdateWriter(args);
  }

  advance(update: Update, reading: number): Promise<string | undefined> {
    if (update.type === 'SNAPSHOT') this.#shown.clear();
    for (const uid of update.removed) this.#shown.delete(uid);
    return this.#render(update, (uid, text) => {
      const digest = digestOf(text);
      if (this.#shown.get(uid)?.digest === digest) return false;
      this.#shown.set(uid, { digest, at: reading });
      return true;
    });
  }

  missed(update: Update, reading: number): Promise<string | undefined> {
    if (update.type === 'SNAPSHOT') return this.first(update);
    return this.#render(update, (uid) => (this.#shown.get(uid)?.at ?? Infinity) > reading);
  }

  async first(update: Update): Promise<string> {
    return (await this.#render(update, () => true, true)) ?? '';
  }

  async #render(
    update: Update,
    isNews: (uid: string, text: string) => boolean,
    evenIfNothing = update.type === 'SNAPSHOT',
  ): Promise<string | undefined> {
    const news: (readonly string[])[] = [];
    for (let start = 0; start < update.upserted.length; start += SLICE) {
      if (start > 0) await this.#pace.turn();
      const upserted = update.upserted.slice(start, start + SLICE);
      const objects = this.#write(() => this.#writer.objects({ ...update, upserted }));
      if (objects === undefined) return this.#whole(update);
      for (const [index, { metadata }] of upserted.entries()) {
        const texts = objects[index] ?? [];
        if (isNews(metadata.uid, texts.join())) news.push(texts);
      }
    }
    if (!evenIfNothing && !this.#isWorthSending(news.length, update.removed.length)) return undefined;
    return this.#write(() => this.#writer.message({ ...update, upserted: [] }, news)) ?? this.#whole(update);
  }

  /** A cursor or a date alone is no news. Of the total it is said when objects came or went. */
  #isWorthSending(upserted: number, removed: number): boolean {
    const total = this.#writer.selects('total');
    return (
      (upserted > 0 && (total || this.#writer.selects('upserted'))) ||
      (removed > 0 && (total || this.#writer.selects('removed')))
    );
  }

  /** Undefined for what is not plain: a field failed, or is answered later. The error's path, and who else becomes null, is graphql's business. */
  #write<Written>(write: () => Written): Written | undefined {
    try {
      return write();
    } catch {
      return undefined;
    }
  }

  async #whole(update: Update): Promise<string> {
    for (const { metadata } of update.upserted) this.#shown.delete(metadata.uid);
    return executeAsJson(this.#args, update, this.#mask);
  }
}
