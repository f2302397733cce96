import { getNullableType, isListType, isObjectType } from 'graphql';
import type { ValidatedSubscriptionArgs } from 'graphql';
import type { Update } from '../../pubsub/updates.ts';
import { collectFields, selectionSets } from './selection.ts';
import { compileFields, compileReader, compileWriter } from './writer.ts';
import type { CompiledField, Reader, Writer } from './writer.ts';

/** The objects of an update under one of the names that `upserted` was given. */
interface List {
  readonly read: Reader;
  /** Writes one of them. */
  readonly write: Writer;
}

/**
 * Writes a shape's updates as JSON: first objects one by one, so that they can be compared and a large set worked off
 * in slices, then the message around those that are to be in it. Throws for whatever only graphql can answer.
 */
export class UpdateWriter {
  readonly #begin: string;
  readonly #read: Reader;
  readonly #fields: readonly CompiledField[];
  readonly #lists: ReadonlyMap<CompiledField, List>;

  constructor(args: ValidatedSubscriptionArgs) {
    const { key, type, nodes, read } = rootField(args);
    this.#begin = `{"data":{${JSON.stringify(key)}:{`;
    this.#read = read;
    this.#fields = compileFields(args, type, selectionSets(nodes));
    this.#lists = new Map(
      this.#fields
        .filter(({ definition }) => definition.name === 'upserted')
        .map((field) => [field, listOf(args, field)]),
    );
  }

  /** Whether this field of the update is selected. */
  selects(name: keyof Update): boolean {
    return this.#fields.some(({ definition }) => definition.name === name);
  }

  /** What is selected of each of the update's objects: a text for every name that `upserted` was given, mostly one. */
  objects(update: Update): string[][] {
    const source = this.#read(update);
    const lists = [...this.#lists.values()].map(({ read, write }) => (read(source) as readonly unknown[]).map(write));
    return update.upserted.map((_, index) => lists.map((list) => list[index] ?? ''));
  }

  /** The execution result for an update, with these objects, as `objects` wrote them, instead of its own. */
  message(update: Update, objects: readonly (readonly string[])[]): string {
    const source = this.#read(update);
    const names = [...this.#lists.keys()];
    const fields = this.#fields.map((field) => {
      const { prefix, read, write } = field;
      if (!this.#lists.has(field)) return prefix + write(read(source));
      const list = names.indexOf(field);
      return `${prefix}[${objects.map((texts) => texts[list]).join()}]`;
    });
    return `${this.#begin}${fields.join('')}}}}`;
  }
}

function rootField(args: ValidatedSubscriptionArgs) {
  const root = args.schema.getSubscriptionType();
  const [[key, nodes] = []] = root ? collectFields(args, root, [args.operation.selectionSet]) : [];
  const definition = root && nodes && args.schema.getField(root, nodes[0].name.value);
  const type = getNullableType(definition?.type);
  if (key === undefined || !nodes || !definition || !isObjectType(type)) {
    throw new Error('A subscription to a feed has one field, whose updates are objects.');
  }
  return { key, type, nodes, read: compileReader(args, definition, nodes[0]) };
}

function listOf(args: ValidatedSubscriptionArgs, { definition, nodes, read }: CompiledField): List {
  const type = getNullableType(definition.type);
  if (!isListType(type)) throw new Error('The objects of an update are a list.');
  return { read, write: compileWriter(args, type.ofType, nodes) };
}
