import { execute, parse, subscribe, validate, type ExecutionResult, type GraphQLFormattedError } from 'graphql';
import type { Viewer } from '../../access/viewer.ts';
import { systemClock } from '../../clock.ts';
import type { Context } from '../context.ts';
import { toGraphQLError } from '../errors.ts';
import { schema } from '../index.ts';
import type { FakeGate } from './fake-gate.ts';
import { unchecked } from './unchecked.ts';

export type Variables = Record<string, unknown>;

/** What a client would get: plain JSON. */
export interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLFormattedError[];
}

function contextOf(gate: FakeGate): Context {
  return { viewer: () => unchecked<Viewer>({ id: 'someone' }), gate, clock: systemClock };
}

/** Executes a query or mutation as a transport does. */
export async function run(
  gate: FakeGate,
  document: string,
  variables: Variables = {},
  context = contextOf(gate),
): Promise<Answer> {
  return answer(await execute(args(document, variables, context)));
}

/** Subscribes as a transport does; an answer instead of a stream when it is refused. */
export async function open(gate: FakeGate, document: string, variables: Variables = {}) {
  return subscribe(args(document, variables, contextOf(gate)));
}

/** Subscribes, and collects what comes until it ends. */
export async function collect(gate: FakeGate, document: string, variables: Variables = {}): Promise<Answer[]> {
  const stream = await open(gate, document, variables);
  if (!(Symbol.asyncIterator in stream)) return [answer(stream)];
  const answers: Answer[] = [];
  for await (const result of stream) answers.push(answer(result));
  return answers;
}

function args(text: string, variableValues: Variables, contextValue: Context) {
  const document = parse(text);
  const problems = validate(schema, document);
  if (problems[0] !== undefined) throw problems[0];
  return { schema, document, variableValues, contextValue };
}

function answer({ data, errors }: ExecutionResult): Answer {
  const masked = errors?.map((error) => toGraphQLError(error).toJSON());
  return unchecked(JSON.parse(JSON.stringify({ data, errors: masked })));
}
