import { hash } from 'node:crypto';
import { executeSubscriptionEvent } from 'graphql';
import type { ExecutionResult, GraphQLFormattedError, ValidatedSubscriptionArgs } from 'graphql';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Update } from '../../pubsub/updates.ts';
import type { Pace } from './pace.ts';
import { updateSelection } from './shape.ts';
import type { UpdateSelection } from './shape.ts';

/** So many objects are executed in one go. */
const SLICE = 50;

/** What a shape showed of an object last: a digest, and the offset at which that became so. */
interface Shown {
  readonly digest: number;
  readonly at: number;
}

/**
 * Turns updates into the JSON of a shape, each object by itself: so what is not selected, or has not changed, is
 * found out by comparing, and a large set is worked off in slices.
 */
export class Renderer {
  readonly #args: ValidatedSubscriptionArgs;
  readonly #selection: UpdateSelection;
  readonly #lists: readonly string[];
  readonly #pace: Pace;
  readonly #mask: (thrown: unknown) => GraphQLFormattedError;
  /** A digest an object, 100 bytes or so. */
  readonly #shown = new Map<string, Shown>();

  /** `args`: with a context that knows no viewer. */
  constructor(args: ValidatedSubscriptionArgs, pace: Pace, mask: (thrown: unknown) => GraphQLFormattedError) {
    this.#args = args;
    this.#pace = pace;
    this.#mask = mask;
    this.#selection = updateSelection(args);
    this.#lists = [...this.#selection.fields].filter(([, field]) => field === 'upserted').map(([key]) => key);
  }

  /** The next update of the shape, which reaches up to `offset`. Undefined when nothing that is selected has changed. */
  advance(update: Update, offset: number): Promise<string | undefined> {
    if (update.type === 'SNAPSHOT') this.#shown.clear();
    for (const uid of update.removed) this.#shown.delete(uid);
    return this.#render(update, (uid, text) => {
      const digest = digestOf(text);
      if (this.#shown.get(uid)?.digest === digest) return false;
      this.#shown.set(uid, { digest, at: offset });
      return true;
    });
  }

  /** What somebody missed who was at `offset`, after the shape itself has advanced. */
  missed(update: Update, offset: number): Promise<string | undefined> {
    if (update.type === 'SNAPSHOT') return this.first(update);
    return this.#render(update, (uid) => (this.#shown.get(uid)?.at ?? Infinity) > offset);
  }

  /** A first message: all of it, whether or not there is anything in it. */
  async first(update: Update): Promise<string> {
    return (await this.#render(update, () => true, true)) ?? '';
  }

  async #render(
    update: Update,
    isNews: (uid: string, text: string) => boolean,
    evenIfNothing = update.type === 'SNAPSHOT',
  ): Promise<string | undefined> {
    const texts: string[][] = this.#lists.map(() => []);
    let news = 0;
    for (let start = 0; start < update.upserted.length; start += SLICE) {
      if (start > 0) await this.#pace.turn();
      const objects = update.upserted.slice(start, start + SLICE);
      const parts = this.#partsOf(update, objects);
      // A field failed, or one is answered later: the error's path, and who else becomes null, is graphql's business.
      if (parts === undefined) return this.#whole(update);
      for (const [index, { metadata }] of objects.entries()) {
        const part = parts.map((list) => JSON.stringify(list[index]));
        if (!isNews(metadata.uid, part.join())) continue;
        news += 1;
        for (const [list, text] of part.entries()) texts[list]?.push(text);
      }
    }
    if (!evenIfNothing && !this.#isWorthSending(news, update.removed.length)) return undefined;
    return this.#assemble(update, texts);
  }

  /** A cursor or a date alone is no news. Of the total it is said when objects came or went. */
  #isWorthSending(upserted: number, removed: number): boolean {
    const fields = new Set(this.#selection.fields.values());
    const total = fields.has('total');
    return (upserted > 0 && (total || this.#lists.length > 0)) || (removed > 0 && (total || fields.has('removed')));
  }

  /** What is selected of these objects: a list for every name under which it is. Undefined when that is not plain. */
  #partsOf(update: Update, upserted: readonly KubernetesObject[]): (readonly unknown[])[] | undefined {
    if (this.#lists.length === 0) return [];
    const data = this.#dataOf({ ...update, upserted, removed: [] });
    return data && this.#lists.map((key) => data[key] as readonly unknown[]);
  }

  #dataOf(update: Update): Record<string, unknown> | undefined {
    const result = executeSubscriptionEvent({ ...this.#args, rootValue: update });
    if (result instanceof Promise) return undefined;
    if (result.errors !== undefined) return undefined;
    return result.data?.[this.#selection.root] as Record<string, unknown> | undefined;
  }

  async #assemble(update: Update, texts: readonly string[][]): Promise<string> {
    const data = this.#dataOf({ ...update, upserted: [] });
    if (data === undefined) return this.#whole(update);
    const lists = new Map(this.#lists.map((key, index) => [key, texts[index] ?? []]));
    const fields = Object.entries(data).map(([key, value]) => {
      const list = lists.get(key);
      return `${JSON.stringify(key)}:${list === undefined ? JSON.stringify(value) : `[${list.join()}]`}`;
    });
    return `{"data":{${JSON.stringify(this.#selection.root)}:{${fields.join()}}}}`;
  }

  async #whole(update: Update): Promise<string> {
    for (const { metadata } of update.upserted) this.#shown.delete(metadata.uid);
    const result: ExecutionResult = await executeSubscriptionEvent({ ...this.#args, rootValue: update });
    const { errors, ...rest } = result;
    return JSON.stringify(errors === undefined ? rest : { ...rest, errors: errors.map(this.#mask) });
  }
}

/** 48 bits: that a change goes unseen has a chance of one in 10¹⁴. */
function digestOf(text: string): number {
  return hash('sha1', text, 'buffer').readUIntBE(0, 6);
}
