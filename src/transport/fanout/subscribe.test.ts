import {
  GraphQLBoolean,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  parse,
} from 'graphql';
import { expect, test } from 'vitest';
import { podOf } from '../../../test/fanout/pod.ts';
import { Recorder, Stage } from '../../../test/fanout/stage.ts';
import { systemClock } from '../../clock.ts';
import { LiveUpdates } from '../../pubsub/live-updates.ts';
import { FanOut } from './fan-out.ts';
import { Life } from './life.ts';
import { subscribeTogether } from './subscribe.ts';

const Pod = new GraphQLObjectType({
  name: 'Pod',
  fields: {
    id: {
      type: GraphQLString,
      args: { short: { type: new GraphQLNonNull(GraphQLBoolean), defaultValue: false } },
      resolve: (pod: { metadata: { uid: string } }) => pod.metadata.uid,
    },
  },
});
const Updates = new GraphQLObjectType({
  name: 'Updates',
  fields: { upserted: { type: new GraphQLNonNull(new GraphQLList(Pod)) } },
});

/** A subscription to a feed, as the schema opens them. */
function opened(stage: Stage, fields: string, fanOut = stage.fanOut) {
  const subscribe = () => new LiveUpdates(stage.feed, systemClock, {}, () => (stage.released += 1));
  const pods = { type: Updates, resolve: (update: unknown) => update, subscribe };
  const schema = new GraphQLSchema({
    query: Updates,
    subscription: new GraphQLObjectType({ name: 'Subscription', fields: { pods } }),
  });
  const document = parse(`subscription ($x: Boolean = true) { pods { upserted { ${fields} } } }`);
  return subscribeTogether({ schema, document, variableValues: { x: null } }, fanOut, new Recorder());
}

/** `$x: Boolean = true` may be used where `Boolean!` is needed, and may be null for all that. */
test.each(['id @include(if: $x)', 'id @skip(if: $x)', 'id(short: $x)'])(
  'what cannot be compiled is executed by graphql, which says why: %s',
  async (fields) => {
    const stage = new Stage(0);
    stage.feed.upsert(podOf(1, 1));
    const stream = await opened(stage, fields);
    if (!(Symbol.asyncIterator in stream)) throw new Error('no stream');
    expect(stream).not.toBeInstanceOf(Life);
    const iterator = stream[Symbol.asyncIterator]();
    const { value } = (await iterator.next()) as { value: { errors: readonly { message: string }[] } };
    expect(value.errors[0]?.message).toMatch(/must not be null|not to be null/);
    expect(stage.fanOut.shapes).toBe(0);
    await iterator.return?.();
    expect(stage.released).toBe(1);
  },
);

test('what is opened is let go of when sharing it fails', async () => {
  const stage = new Stage(0);
  class Broken extends FanOut {
    override join(): never {
      throw new Error('broken');
    }
  }
  const options = { counters: stage.counters, sharedContext: {}, onTooManyShapes: () => undefined };
  const broken = new Broken({ ...options, mask: (thrown) => ({ message: String(thrown) }) });
  await expect(opened(stage, 'id', broken)).rejects.toThrow('broken');
  expect(stage.released).toBe(1);
});
